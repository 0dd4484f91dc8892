// Rows of one Markdown table: a value for each server, and the gateway's over each of the others'.
import { quartiles, ratios } from './statistics.mjs';

const WHOSE = ['nginx', 'gateway', 'Express'];

// `values` has a number, or one for each round, by server; those of rounds are compared round by round.
export function row(what, values, format) {
  const all = WHOSE.map((name) => values[name] && [values[name]].flat());
  const [nginx, gateway, express] = all;
  const shown = all.map((list) => (list ? format(quartiles(list)[1]) : '-'));
  return [what, ...shown, ratio(gateway, nginx), ratio(gateway, express)];
}

// Of what is not there, or not above nothing, there is no ratio.
function ratio(ours, theirs) {
  if (!theirs || [...ours, ...theirs].some((value) => value <= 0)) return '-';
  const [low, middle, high] = quartiles(ratios(ours, theirs)).map(significant);
  return ours.length > 1 ? `**${middle}** (${low}–${high})` : `**${middle}**`;
}

const significant = (value) => (value >= 0.1 ? value.toFixed(2) : value.toPrecision(2));

export function table(rows) {
  const heads = ['', ...WHOSE, 'gateway / nginx', 'gateway / Express'];
  const lines = [heads, heads.map((_, at) => (at === 0 ? '---' : '--:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
