/** The vehicle's screen as HTML. Pure. */
import { MACHINE, type Phase, PHASES } from '../update/machine.js';
import { type Question } from '../update/equipment.js';
import {
  conditionsInWords,
  IDLE,
  PAUSED,
  sizeInWords,
  timeInWords,
  type Words,
  WORDS,
} from './ivi-words.js';
import { type UpdateScript } from '../../update-script/index.js';

export type Action = 'accept' | 'refuse' | 'pause' | 'resume' | 'cancel';

export interface Screen {
  /** undefined: no update. */
  readonly phase: Phase | undefined;
  readonly paused: boolean;
  readonly question: Question | undefined;
  /** The reason why the update waits, if known. */
  readonly script: Pick<UpdateScript, 'preconditions' | 'window'> | undefined;
  /** The state as `GET /state` gives it: the screen changes when it does. */
  readonly state: string;
  /** Result of the driver's last action, if it led to no other screen. */
  readonly notice?: string | undefined;
  readonly formToken: string;
  /** IANA name; undefined: the system's. */
  readonly timeZone: string | undefined;
}

export function screenHtml(screen: Screen): string {
  const { headline, content, buttons } = parts(screen);
  const notice =
    screen.notice === undefined
      ? ''
      : `<p class="notice" role="status">${escaped(screen.notice)}</p>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Vehicle update</title>
<link rel="stylesheet" href="/page.css">
<noscript><meta http-equiv="refresh" content="2"></noscript>
</head>
<body data-state="${escaped(screen.state)}">
<h1>${escaped(headline)}</h1>
<main tabindex="0" aria-label="About the update">${notice}${content}</main>
<form class="actions" method="post" action="/"><input type="hidden" name="token" value="${screen.formToken}">${buttons}</form>
<p id="away" role="status" hidden>The update service does not answer. This screen continues when it does.</p>
<script src="/page.js"></script>
</body>
</html>`;
}

interface Parts {
  readonly headline: string;
  /** HTML. */
  readonly content: string;
  /** HTML. */
  readonly buttons: string;
}

function parts(screen: Screen): Parts {
  if (screen.question) return questionParts(screen.question, screen);
  const { phase, paused } = screen;
  if (phase === undefined) return { ...shown(IDLE), buttons: '' };
  const { headline, meaning } = paused ? PAUSED : WORDS[phase];
  const place = PHASES.indexOf(phase) + 1;
  const bar = `<progress aria-label="Progress of the update" max="${PHASES.length}" value="${place}"></progress>`;
  const content = paragraph(meaning) + bar + (isWaiting(phase) ? waitsFor(screen) : '');
  return { headline, content, buttons: MACHINE[phase].revocable ? controls(paused) : '' };
}

const shown = ({ headline, meaning }: Words) => ({ headline, content: paragraph(meaning) });

const isWaiting = (phase: Phase) => phase === 'conditions' || phase === 'waiting';

function waitsFor({ script }: Screen): string {
  const phrases = conditionsInWords(script?.preconditions, script?.window);
  return phrases.length === 0 ? '' : paragraph(`Needs: ${phrases.join(', ')}.`, 'soft');
}

function questionParts({ text, language, bytes, until }: Question, screen: Screen): Parts {
  const lang = language === undefined ? '' : ` lang="${escaped(language)}"`;
  const size = `Download: ${sizeInWords(bytes)}, while you use your vehicle as usual.`;
  const later = `“Not now”, or no answer by ${timeInWords(until, screen.timeZone)}: your vehicle stays as it is.`;
  return {
    headline: WORDS.consent.headline,
    content: `<p${lang}>${escaped(text)}</p>${paragraph(size, 'soft')}${waitsFor(screen)}${paragraph(later, 'soft')}`,
    buttons: `${button('accept', 'Install', 'main')}${button('refuse', 'Not now')}`,
  };
}

/** A cancelled update does not come back by itself, so that one touch is not enough. */
function controls(paused: boolean): string {
  const first = paused ? button('resume', 'Continue', 'main') : button('pause', 'Pause');
  return `${first}<button type="button" popovertarget="sure">Cancel the update</button>
<div popover id="sure" role="dialog" aria-labelledby="sure-text"><p id="sure-text">Cancel the update? Your vehicle keeps the software it has.</p>
<div class="actions"><button type="button" popovertarget="sure" popovertargetaction="hide" autofocus>No, go on</button>${button('cancel', 'Yes, cancel it')}</div></div>`;
}

const button = (action: Action, text: string, kind = '') =>
  `<button name="action" value="${action}"${kind === '' ? '' : ` class="${kind}"`}>${text}</button>`;

const paragraph = (text: string, kind = '') =>
  `<p${kind === '' ? '' : ` class="${kind}"`}>${escaped(text)}</p>`;

const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
