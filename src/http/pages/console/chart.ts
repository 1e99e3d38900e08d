import { type Child, type Html, html, raw } from '#platform/html.ts';
import type { ConsoleFrame } from './frame.ts';
import { table } from './parts.ts';

/**
 * Charts are drawn by the server and say nothing that is not said in words: the sums stand beside
 * them, the days in a table below, which paper shows too.
 */

export interface Series {
  name: string;
  values: readonly number[];
  /** How it looks: each differs in hue, lightness and pattern, so that no colour has to be told apart. */
  look: 'one' | 'two' | 'three';
}

export interface DayChart {
  id: string;
  title: string;
  /** `2026-11-22`, the first one first. */
  days: readonly string[];
  series: readonly Series[];
}

const width = 720;
const height = 120;

/** Bars, a day beside the other, the series on top of each other. */
export function dayChart(page: ConsoleFrame, { id, title, days, series }: DayChart): Html {
  const { t } = page;
  const sums = series.map(({ name, values }) => ({ name, sum: values.reduce(add, 0) }));
  const highest = Math.max(
    1,
    ...days.map((_, day) => series.map((one) => one.values[day]!).reduce(add, 0)),
  );
  const said = sums.map(({ name, sum }) => `${name}: ${sum.toLocaleString(t.locale)}`).join(', ');
  return html`<figure class="chart" id="${id}">
    <figcaption>
      <h2>${title}</h2>
      <ul class="legend">
        ${series.map(
          ({ name, look }, index) =>
            html`<li>
              <svg class="swatch" viewBox="0 0 12 12" aria-hidden="true">
                <rect class="${look}" width="12" height="12" rx="2" />
              </svg>
              ${name} <strong>${sums[index]!.sum.toLocaleString(t.locale)}</strong>
            </li>`,
        )}
      </ul>
    </figcaption>
    <div class="plot">
      <span class="highest">${highest.toLocaleString(t.locale)}</span>
      <svg
        role="img"
        aria-label="${`${title}. ${said}`}"
        viewBox="0 0 ${width} ${height}"
        preserveAspectRatio="none"
      >
        <path class="ground" d="M0 ${height - 0.5}H${width}M0 .5H${width}" />
        ${raw(bars(series, days.length, highest))}
      </svg>
    </div>
    <p class="ends">
      <span>${dayName(page, days[0]!)}</span><span>${dayName(page, days.at(-1)!)}</span>
    </p>
    <details>
      <summary>${t('rooms.chart.table')}</summary>
      <div class="scroll" tabindex="0" role="group" aria-label="${title}">
        ${table({
          caption: title,
          rows: days.map((day, index) => ({ day, index })).reverse(),
          columns: [
            {
              title: t('rooms.chart.day'),
              cell: ({ day }: { day: string; index: number }): Child => dayName(page, day),
            },
            ...series.map(({ name, values }) => ({
              title: name,
              number: true,
              cell: ({ index }: { index: number }): Child =>
                values[index]!.toLocaleString(t.locale),
            })),
          ],
        })}
      </div>
    </details>
  </figure>`;
}

/** One path for each series: a year of bars is three elements. */
function bars(series: readonly Series[], days: number, highest: number): string {
  const step = width / days;
  const bar = Math.max(1, step * 0.8);
  const bottoms = Array<number>(days).fill(height);
  return series
    .map(({ values, look }) => {
      const path = values
        .map((value, day) => {
          if (value === 0) return '';
          const tall = Math.max(1, (value / highest) * height);
          bottoms[day]! -= tall;
          return `M${round(day * step + (step - bar) / 2)} ${round(bottoms[day]!)}h${round(bar)}v${round(tall)}h-${round(bar)}z`;
        })
        .join('');
      return path && `<path class="${look}" d="${path}"/>`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function add(one: number, other: number): number {
  return one + other;
}

/** A day of UTC is told as that day, wherever the reader is. */
export function dayName({ t }: Pick<ConsoleFrame, 't'>, day: string): Html {
  const text = new Intl.DateTimeFormat(t.locale, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(new Date(`${day}T00:00:00Z`));
  return html`<time datetime="${day}">${text}</time>`;
}

/** What a sum is made of, the most first. */
export function shares(
  { t }: ConsoleFrame,
  { title, rows }: { title: string; rows: readonly { name: string; count: number }[] },
): Html | null {
  if (rows.length === 0) return null;
  const most = Math.max(...rows.map(({ count }) => count));
  return html`<section class="chart shares">
    <h2>${title}</h2>
    <dl>
      ${[...rows]
        .sort((one, other) => other.count - one.count)
        .map(
          ({ name, count }) =>
            html`<div>
              <dt>${name}</dt>
              <dd>
                <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                  <rect
                    class="one"
                    width="${Math.max(1, Math.round((count / most) * 100))}"
                    height="8"
                  />
                </svg>
                ${count.toLocaleString(t.locale)}
              </dd>
            </div>`,
        )}
    </dl>
  </section>`;
}
