// Owns drawing lines over steps as an SVG image: axes, ticks, grid, legend.
// Refuses to know what the numbers mean.

import { axisOf } from './ticks.ts';
import type { Axis } from './ticks.ts';

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Each point gets a dot. For series with few points. */
  readonly dots?: boolean;
  /** Drawn thin and pale: what is noisy, behind what is smooth. */
  readonly faint?: boolean;
}
export interface LinePlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** At most as many as there are colours. */
  readonly series: readonly Series[];
}

const WIDTH = 800;
const HEIGHT = 450;
const MARGIN = { left: 84, right: 36, top: 48, bottom: 60 } as const;
/** Blue, orange, green, purple of Okabe and Ito 2008, told apart by the colour-blind too. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7'] as const;
/** More points than pixels show nothing more. */
const MOST_POINTS = 1500;
const FONT = 'font-family="system-ui, sans-serif"';

const escaped = (text: string): string => text.replace(/[&<>"]/gu, (sign) => `&#${sign.codePointAt(0)};`);
const pixel = (value: number): string => String(Math.round(value * 10) / 10);

/** An SVG document of 800 by 450. Points that are not finite are left out. */
export function linePlot({ title, xLabel, yLabel, series }: LinePlot): string {
  if (series.length > COLOURS.length) throw new RangeError(`a plot has at most ${COLOURS.length} series, not ${series.length}`);
  const drawn = series.map((each) => ({ ...each, points: thinned(each.points.filter((point) => point.every(Number.isFinite))) }));
  const [xs, ys] = [0, 1].map((i) => drawn.flatMap(({ points }) => points.map((point) => point[i])));
  const x = axisOf(...rangeOf(xs), 8);
  const y = axisOf(...rangeOf(ys), 6);
  const across = (value: number): number => MARGIN.left + ((value - x.low) / (x.high - x.low)) * (WIDTH - MARGIN.left - MARGIN.right);
  const up = (value: number): number => HEIGHT - MARGIN.bottom - ((value - y.low) / (y.high - y.low)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${WIDTH / 2}" y="28" ${FONT} font-size="17" text-anchor="middle" fill="#111111">${escaped(title)}</text>`,
    ...axes(x, y, across, up, xLabel, yLabel),
    ...drawn.map((each, i) => lineOf(each, COLOURS[i], across, up)),
    ...legend(drawn),
    '</svg>\n',
  ].join('\n');
}

function axes(x: Axis, y: Axis, across: (value: number) => number, up: (value: number) => number, xLabel: string, yLabel: string): readonly string[] {
  const [left, right, top, bottom] = [across(x.low), across(x.high), up(y.high), up(y.low)].map(pixel);
  const text = (at: string, anchor: string, content: string, size = 12): string =>
    `<text ${at} ${FONT} font-size="${size}" text-anchor="${anchor}" fill="#444444">${escaped(content)}</text>`;
  const middle = (HEIGHT + MARGIN.top - MARGIN.bottom) / 2;
  return [
    ...y.ticks.map(
      (tick) =>
        `<line x1="${left}" x2="${right}" y1="${pixel(up(tick))}" y2="${pixel(up(tick))}" stroke="#e4e4e4"/>${text(`x="${Number(left) - 8}" y="${pixel(up(tick) + 4)}"`, 'end', y.label(tick))}`,
    ),
    ...x.ticks.map(
      (tick) =>
        `<line x1="${pixel(across(tick))}" x2="${pixel(across(tick))}" y1="${bottom}" y2="${Number(bottom) + 5}" stroke="#444444"/>${text(`x="${pixel(across(tick))}" y="${Number(bottom) + 20}"`, 'middle', x.label(tick))}`,
    ),
    `<polyline points="${left},${top} ${left},${bottom} ${right},${bottom}" fill="none" stroke="#444444"/>`,
    text(`x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 14}"`, 'middle', xLabel, 13),
    text(`transform="translate(20 ${middle}) rotate(-90)"`, 'middle', yLabel, 13),
  ];
}

function lineOf({ points, dots, faint }: Series, colour: string, across: (value: number) => number, up: (value: number) => number): string {
  const at = points.map(([x, y]) => [pixel(across(x)), pixel(up(y))] as const);
  const line = `<polyline points="${at.map((point) => point.join(',')).join(' ')}" fill="none" stroke="${colour}" stroke-width="${faint ? 1 : 2}" stroke-opacity="${faint ? 0.4 : 1}" stroke-linejoin="round"/>`;
  return dots || points.length === 1 ? line + at.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${colour}"/>`).join('') : line;
}

/** In the corner that a falling curve leaves free. */
function legend(series: readonly Series[]): readonly string[] {
  if (series.length < 2) return [];
  const longest = Math.max(...series.map(({ name }) => name.length));
  const left = WIDTH - MARGIN.right - 52 - longest * 7.2;
  const box = `<rect x="${pixel(left - 10)}" y="${MARGIN.top + 2}" width="${pixel(WIDTH - MARGIN.right - left + 6)}" height="${series.length * 20 + 10}" fill="#ffffff" fill-opacity="0.85" stroke="#cccccc"/>`;
  return [
    box,
    ...series.map(({ name, faint }, i) => {
      const y = MARGIN.top + 17 + i * 20;
      return `<line x1="${pixel(left)}" x2="${pixel(left + 26)}" y1="${y}" y2="${y}" stroke="${COLOURS[i]}" stroke-width="${faint ? 1 : 2}" stroke-opacity="${faint ? 0.4 : 1}"/><text x="${pixel(left + 34)}" y="${y + 4}" ${FONT} font-size="12" fill="#222222">${escaped(name)}</text>`;
    }),
  ];
}

function rangeOf(values: readonly number[]): [number, number] {
  return values.length === 0 ? [0, 1] : [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
}
/** Of each group of neighbours the least and the greatest are kept, in their order: peaks stay. */
function thinned(points: Series['points']): Series['points'] {
  if (points.length <= MOST_POINTS) return points;
  const size = Math.ceil((2 * points.length) / MOST_POINTS);
  const groups = Array.from({ length: Math.ceil(points.length / size) }, (_, i) => points.slice(i * size, (i + 1) * size));
  return groups.flatMap((group) => {
    const least = group.reduce((a, b) => (b[1] < a[1] ? b : a));
    const greatest = group.reduce((a, b) => (b[1] > a[1] ? b : a));
    return least === greatest ? [least] : [least, greatest].toSorted((a, b) => a[0] - b[0]);
  });
}
