/** The Prometheus text format, for metrics read from the database at each scrape. */

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

const escaped = (value: string) =>
  value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');

function written(name: string, { labels, value }: Sample): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}\n`;
}

const metric =
  (type: 'gauge' | 'counter') =>
  (name: string, help: string, value: number | readonly Sample[]): string => {
    const samples = typeof value === 'number' ? [{ labels: {}, value }] : value;
    const lines = samples.map((sample) => written(name, sample)).join('');
    return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines}`;
  };

export const gauge = metric('gauge');
export const counter = metric('counter');
