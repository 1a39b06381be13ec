/** `otaops completion`: a script that completes commands and flags in the shell. */
import { type Command, Option } from 'commander';
import { addExamples } from '../server-command.js';
import { print } from '../output.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

export function completionCommand(program: Command): void {
  const command = program
    .command('completion')
    .description('print a script that completes commands and flags in the shell')
    .addOption(
      new Option('--shell <shell>', 'which shell').choices(SHELLS).default('bash' satisfies Shell),
    );
  addExamples(command, [
    'source <(otaops completion --shell bash)',
    'source <(otaops completion --shell zsh)',
    'otaops completion --shell fish > ~/.config/fish/completions/otaops.fish',
  ]).action(({ shell }: { shell: Shell }) => print(SCRIPTS[shell](pathsOf(program))));
}

/** A command's words, and their possible continuations: subcommands and flags. */
interface CommandPath {
  readonly words: string;
  readonly subcommands: readonly string[];
  readonly flags: readonly string[];
}

function pathsOf(command: Command, words: readonly string[] = []): CommandPath[] {
  const { commands, options } = command;
  return [
    {
      words: words.join(' '),
      subcommands: commands.map((subcommand) => subcommand.name()),
      flags: [...options.flatMap(({ long }) => (long ? [long] : [])), '--help'],
    },
    ...commands.flatMap((subcommand) => pathsOf(subcommand, [...words, subcommand.name()])),
  ];
}

function bash(paths: readonly CommandPath[]): string {
  const cases = paths.map(
    ({ words, subcommands, flags }) =>
      `    '${words}') candidates='${[...subcommands, ...flags].join(' ')}' ;;`,
  );
  return `# bash completion of otaops
_otaops() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words='' word candidates=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case " ${commandNames(paths)} " in
      *" $word "*) words="\${words:+$words }$word" ;;
    esac
  done
  case "$words" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$candidates" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _otaops otaops`;
}

const commandNames = (paths: readonly CommandPath[]) =>
  [...new Set(paths.flatMap(({ subcommands }) => subcommands))].join(' ');

/** zsh understands bash's scripts. */
function zsh(paths: readonly CommandPath[]): string {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash(paths)}`;
}

function fish(paths: readonly CommandPath[]): string {
  const lines = paths.flatMap(({ words, subcommands, flags }) => {
    const names = words === '' ? [] : words.split(' ');
    const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
    const none =
      subcommands.length > 0 ? [`not __fish_seen_subcommand_from ${subcommands.join(' ')}`] : [];
    const here = [...seen, ...none].join('; and ');
    const when = here === '' ? '' : ` -n '${here}'`;
    return [
      ...subcommands.map((name) => `complete -c otaops -f${when} -a '${name}'`),
      ...flags.map((flag) => `complete -c otaops${when} -l '${flag.slice(2)}'`),
    ];
  });
  return `# fish completion of otaops\n${lines.join('\n')}`;
}

const SCRIPTS: Record<Shell, (paths: readonly CommandPath[]) => string> = { bash, zsh, fish };
