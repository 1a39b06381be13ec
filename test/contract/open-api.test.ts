/** The OpenAPI documents are good enough to generate clients from, judged by third-party tools. */
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { type RulesetDefinition } from '@stoplight/spectral-core';
import { expect, test } from 'vitest';
import { ADAPTER_ROUTES, adapterDocument } from '../../src/contract/adapter-api/index.js';
import { CAROTA_ROUTES, carotaDocument } from '../../src/contract/carota-api/index.js';
import { isFullDepth, sampleOf } from '../support/depth.js';

/** All rules of `spectral:oas`, including those off by default, except these. */
const spectralRules = (oas: RulesetDefinition): RulesetDefinition => ({
  extends: [[oas, 'all']],
  rules: {
    // A license has an SPDX identifier or a URL (OpenAPI 3.1, section 4.8.4).
    'license-url': 'off',
    // The project has no URL yet.
    'contact-properties': 'off',
    // Tags are in reading order.
    'openapi-tags-alphabetical': 'off',
    // If the summary suffices, there is no description.
    'operation-description': 'off',
  },
});

const DOCUMENTS = [
  ['OTA Adapter', adapterDocument('1.0.0'), ADAPTER_ROUTES],
  ['CarOTA Server', carotaDocument('1.0.0'), CAROTA_ROUTES],
] as const;

test.each(sampleOf(DOCUMENTS, 2))(
  'Redocly finds nothing in the document of the %s',
  async (_name, document) => {
    // Some routes redirect a browser; the test below requires a 2XX answer of all others.
    const rules = { 'operation-2xx-response': 'off' } as const;
    const config = await createConfig({ extends: ['recommended'], rules });
    const source = JSON.stringify(document, null, 2);
    const problems = await lintFromString({ source, absoluteRef: 'openapi.json', config });
    expect(
      problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    ).toEqual([]);
  },
);

test.each(DOCUMENTS)(
  'each route of the %s succeeds with a 2XX, or redirects a browser',
  (_name, _document, routes) => {
    for (const { id, answer } of routes) {
      const isRedirect = ['beginSignOn', 'completeSignOn', 'leaveSignOn'].includes(id);
      expect([id, Math.floor(answer.status / 100)]).toEqual([id, isRedirect ? 3 : 2]);
    }
  },
);

// Takes seconds for each document: longer than all other tests of the contract.
test.runIf(isFullDepth).each(DOCUMENTS)(
  'Spectral finds nothing in the document of the %s',
  async (_name, document) => {
    // Large, so they are loaded only here.
    const { default: core } = await import('@stoplight/spectral-core');
    const { default: rulesets } = await import('@stoplight/spectral-rulesets');
    const spectral = new core.Spectral();
    spectral.setRuleset(spectralRules(rulesets.oas as RulesetDefinition));
    const results = await spectral.run(JSON.stringify(document));
    expect(results.map(({ code, message, path }) => [code, message, path.join('/')])).toEqual([]);
  },
);
