// Owns the plots of a run, the places of ticks, and what a person sees of a run on a terminal and elsewhere.
// Refuses to know how a run goes on.

import t from 'tap';
import { linePlot } from '../../src/training/plots/line-plot.ts';
import { axisOf } from '../../src/training/plots/ticks.ts';
import { lossPlot, schedulePlot } from '../../src/training/run/metrics.ts';
import { progressOn } from '../../src/training/run/progress.ts';
import type { TrainingEvent } from '../../src/training/spec.ts';

const labels = (least: number, greatest: number, wanted: number): readonly string[] => {
  const axis = axisOf(least, greatest, wanted);
  return axis.ticks.map(axis.label);
};

t.test('ticks are whole multiples of 1, 2 or 5 times a power of ten, around all values, written as short as can be', (t) => {
  t.same(labels(0.4, 7.9, 6), ['0', '2', '4', '6', '8']);
  t.same(labels(0.31, 0.52, 4), ['0.3', '0.4', '0.5', '0.6']);
  t.same(labels(0, 3e-4, 6), ['0', '5e-5', '1.0e-4', '1.5e-4', '2.0e-4', '2.5e-4', '3.0e-4']);
  t.same(labels(1, 10_000, 5), ['0', '2,000', '4,000', '6,000', '8,000', '10,000']);
  t.same(labels(-0.2, 0.2, 4), ['-0.2', '-0.1', '0', '0.1', '0.2']);
  t.same(labels(2, 2, 2), ['2.0', '2.1']);
  t.end();
});

/** Attributes of every element of a kind. */
const elements = (svg: string, kind: string): Record<string, string>[] =>
  [...svg.matchAll(new RegExp(`<${kind} ([^>]*?)/?>`, 'gu'))].map(([, attributes]) =>
    Object.fromEntries([...attributes.matchAll(/([\w-]+)="([^"]*)"/gu)].map(([, name, value]) => [name, value])),
  );
const coordinates = (points: string): number[][] => points.split(' ').map((point) => point.split(',').map(Number));

t.test('a line goes from the left of the plot to the right, high values stand above low ones, and all of it lies within the axes', (t) => {
  const svg = linePlot({
    title: 'A < B',
    xLabel: 'step',
    yLabel: 'loss',
    series: [
      {
        name: 'a',
        points: [
          [0, 4],
          [5, Number.NaN],
          [10, 0],
        ],
      },
      { name: 'b & c', points: [[5, 2]], dots: true },
    ],
  });
  const [frame, line] = elements(svg, 'polyline').map(({ points }) => coordinates(points));
  const [[left, top], , [right, bottom]] = frame;
  t.same(
    line,
    [
      [left, top],
      [right, bottom],
    ],
    'the point that is no number is left out',
  );
  const [dot] = elements(svg, 'circle');
  t.same([Number(dot['cx']), Number(dot['cy'])], [(left + right) / 2, (top + bottom) / 2]);
  t.ok(svg.includes('>A &#60; B</text>') && svg.includes('>b &#38; c</text>'), 'texts are escaped');
  t.throws(
    () => linePlot({ title: '', xLabel: '', yLabel: '', series: Array.from({ length: 5 }, () => ({ name: '', points: [] })) }),
    /at most 4 series, not 5/,
  );
  t.match(linePlot({ title: 'nothing yet', xLabel: '', yLabel: '', series: [{ name: 'a', points: [] }] }), /<\/svg>\n$/);
  t.end();
});

t.test('a loss of very many steps is drawn with fewer points, of which the highest and the lowest are', (t) => {
  const rows = Array.from(
    { length: 50_000 },
    (_, i) => `${i + 1},${i === 31_337 ? 9 : i === 40_000 ? 0 : 2 + Math.sin(i)},0.001,1,${i},${i % 10_000 === 9999 ? 3 : ''}`,
  );
  const svg = lossPlot(['step,train_loss,learning_rate,gradient_norm,tokens,valid_loss', ...rows, ''].join('\n'));
  const [frame, training, , validation] = elements(svg, 'polyline').map(({ points }) => coordinates(points));
  t.ok(training.length <= 1500, `${training.length} points`);
  t.equal(Math.max(...training.map(([, y]) => y)), frame[1][1], 'the 0 lies on the axis');
  t.ok(Math.min(...training.map(([, y]) => y)) <= frame[0][1] + 40, 'and the 9 near the top');
  t.equal(validation.length, 5);
  t.ok(['training', 'training, moving average', 'validation'].every((name) => svg.includes(`>${name}</text>`)));
  t.end();
});

t.test('the plot of a schedule has all steps, those to come as well', (t) => {
  const [frame, line] = elements(
    schedulePlot((step) => (step < 30 ? 1 : 0.5), 41),
    'polyline',
  ).map(({ points }) => coordinates(points));
  t.equal(line.length, 41);
  t.equal(line[0][1], frame[0][1]);
  t.equal(line[29][1], line[0][1]);
  t.ok(line[30][1] > line[29][1]);
  t.end();
});

t.test('a rate that stays the same is drawn on an axis of its own size', (t) => {
  const svg = schedulePlot(() => 3e-4, 10);
  t.ok(svg.includes('>3.00e-4</text>'), 'a tick says it');
  t.notOk(svg.includes('>0.02</text>'), 'no axis up to a tenth of 1');
  const axis = axisOf(3e-4, 3e-4, 6);
  t.ok(axis.low <= 3e-4 && axis.high >= 3e-4 && axis.high < 4e-4);
  t.end();
});

const EVENTS: readonly TrainingEvent[] = [
  { kind: 'start', steps: 200, parameters: 5000, trained: 1234, examples: 99, resumedAt: 100, note: '1 of 100 sequences is left out' },
  ...Array.from({ length: 100 }, (_, i) => ({ kind: 'step', step: 101 + i, loss: 2, rate: 1e-3, gradientNorm: 1, tokens: i, tokensPerSecond: 4321 }) as const),
  { kind: 'evaluation', step: 200, loss: 1.5, best: true },
  { kind: 'end', step: 200, reason: 'done', model: 'out' },
];
function shown(columns?: number): string {
  let text = '';
  let now = 0;
  const show = progressOn({ write: (piece) => (text += piece), ...(columns === undefined ? {} : { columns }) }, () => now);
  for (const event of EVENTS) {
    show(event);
    now += 1000;
  }
  return text;
}

t.test('elsewhere than on a terminal a run writes a line now and then', (t) => {
  const rows = shown().split('\n');
  t.equal(rows[0], '1,234 of 5,000 parameters are trained on 99 examples in 200 steps, going on behind step 100');
  t.equal(rows[1], '1 of 100 sequences is left out');
  t.equal(rows[2], 'step 101 of 200  loss 2.0000  rate 0.00100  4,321 tokens/s  1 min 39 s left');
  t.match(rows[3], /^step 111 of 200 /);
  t.same(rows.slice(-4), [
    'step 200 of 200  loss 2.0000  rate 0.00100  4,321 tokens/s  0 s left',
    'step 200: validation loss 1.5000, the best so far',
    'done: out',
    '',
  ]);
  t.equal(rows.length, 2 + 11 + 3);
  t.end();
});

t.test('on a terminal one line is written over, never longer than it is', (t) => {
  const pieces = shown(60).split('\r\u001b[K').slice(1);
  const bars = pieces.filter((piece) => !piece.includes('\n'));
  t.equal(bars.length, 100);
  t.match(bars[49], /^█{18}░{6} {2}75% step 150 of 200 /u);
  t.ok(bars.every((bar) => bar.length <= 59));
  t.equal(pieces.at(-1), 'done: out\n');
  t.end();
});
