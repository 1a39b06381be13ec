import base from './vitest.config.js';
const b = base as any;
for (const p of b.test.projects) if (typeof p !== 'string') p.test.setupFiles = ['/tmp/tests17b-m/psetup.ts'];
export default b;
