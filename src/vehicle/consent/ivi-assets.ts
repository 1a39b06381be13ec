/**
 * Style and script of the vehicle's page. Made to be read at arm's length and pressed without aiming: large type, two lines of
 * buttons at most, which stay where they are, and day and night colours with a contrast of 7 : 1 (WCAG 2.2, 1.4.6).
 */

export const STYLE = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --text: #101418; --soft: #3c444d; --line: #5b6570;
  --main: #0a4690; --on-main: #ffffff; --plain: #e4e8ed; --focus: #a13d00;
  font: 28px/1.35 system-ui, sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0b0e11; --text: #f0f2f4; --soft: #c3cad2; --line: #8d98a5;
    --main: #a9cfff; --on-main: #06121f; --plain: #232a32; --focus: #ffb37a;
  }
}
* { box-sizing: border-box; margin: 0; }
html, body { height: 100%; }
body {
  display: grid; grid-template-rows: auto 1fr auto; gap: 16px; padding: 24px 32px;
  background: var(--ground); color: var(--text); overflow: hidden;
}
h1 { font-size: 40px; line-height: 1.15; font-weight: 650; }
main { overflow: auto; min-height: 0; }
main > * + * { margin-top: 12px; }
.soft { color: var(--soft); font-size: 24px; }
.notice { font-weight: 650; }
progress { display: block; width: 100%; height: 16px; accent-color: var(--main); }
.actions { display: flex; flex-wrap: wrap; gap: 16px; min-height: 88px; }
.actions button { flex: 1 1 200px; }
button {
  font: inherit; font-weight: 600; min-height: 88px; padding: 8px 24px; border-radius: 14px;
  border: 2px solid var(--line); background: var(--plain); color: var(--text); touch-action: manipulation;
}
button.main { background: var(--main); color: var(--on-main); border-color: var(--main); }
:focus-visible { outline: 6px solid var(--focus); outline-offset: 3px; }
[popover] {
  inset: 0; margin: auto; width: min(900px, 100vw); padding: 32px; border: 2px solid var(--line); border-radius: 14px;
  background: var(--ground); color: var(--text);
}
[popover] p { margin-bottom: 24px; }
[popover]::backdrop { background: rgb(0 0 0 / 60%); }
#away {
  position: fixed; inset: auto 0 0; padding: 16px 32px; background: var(--text); color: var(--ground); font-size: 24px;
}
@media (max-width: 900px) {
  :root { font-size: 24px; }
  body { gap: 12px; padding: 16px 20px; }
  h1 { font-size: 32px; }
}
`;

/** Shows another screen only when there is something else to show, so that nothing moves under the driver's finger. */
export const SCRIPT = `
const shown = document.body.dataset.state;
const away = document.getElementById('away');
async function look() {
  try {
    const answer = await fetch('/state', { cache: 'no-store' });
    away.hidden = answer.ok;
    if (answer.ok && (await answer.text()) !== shown) return location.replace('/');
  } catch {
    away.hidden = false;
  }
  setTimeout(look, 1000);
}
look();
`;
