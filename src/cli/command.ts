import type { Api } from './api.ts';
import type { Ground } from './ground.ts';

/** An option of a command, such as `--note <text>`. */
export interface Option {
  /** What its value is called in the help; a switch has none. */
  value?: string;
  summary: string;
  /** May be given several times. */
  multiple?: boolean;
  required?: boolean;
}

export interface Given {
  /** Positional arguments, in the order of `takes`. */
  args: string[];
  /** The last value of an option, or undefined. */
  text(name: string): string | undefined;
  /** Every value of an option. */
  all(name: string): string[];
  on(name: string): boolean;
}

/** What a command has to say: for people, and for machines. */
export interface Said {
  text: string;
  json: unknown;
  /** 1 where it found what should not be. */
  status?: 0 | 1;
}

/** One command: `ostiary <noun> <verb> <takes...> [options]`. A command without a verb is a noun alone. */
export interface Command {
  noun: string;
  verb: string | null;
  summary: string;
  takes?: readonly { name: string; summary: string }[];
  options?: Readonly<Record<string, Option>>;
  run(given: Given, place: { api: Api; ground: Ground }): Promise<Said>;
}

/** It was not understood. Exit status 2. */
export class WrongUsage extends Error {
  override readonly name = 'WrongUsage';
}

/** The usage of a command in one line. */
export function usageOf({ noun, verb, takes = [], options = {} }: Command): string {
  const required = Object.entries(options)
    .filter(([, one]) => one.required)
    .map(([name, { value }]) => `--${name} <${value}>`);
  return ['ostiary', noun, verb, ...takes.map(({ name }) => `<${name}>`), ...required]
    .filter(Boolean)
    .join(' ');
}
