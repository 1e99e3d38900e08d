import { parentPort } from 'node:worker_threads';
import {
  verifyLogoutRequest,
  verifyPostedLogoutRequest,
  type ExpectedLogout,
  type LogoutMessage,
} from './logout.ts';
import { readMetadata } from './metadata.ts';
import { SamlRefused } from './refused.ts';
import { verifyResponse, type Expected } from './verify.ts';

/** What a worker is asked. */
export type Job =
  | { kind: 'response'; xml: string; expected: Expected }
  | { kind: 'logout'; message: LogoutMessage; expected: ExpectedLogout }
  | { kind: 'metadata'; xml: string };

/** What it answers: `problem` is a `SamlRefused`; anything else that fails is `error`. */
export interface Done {
  result?: unknown;
  problem?: { code: SamlRefused['code']; message: string };
  error?: string;
  /** How much of a processor it took here, in milliseconds. */
  took: number;
}

const port = parentPort!;

port.on('message', async (job: Job) => port.postMessage(await answer(job)));
port.postMessage('ready');

async function answer(job: Job): Promise<Done> {
  const from = process.threadCpuUsage();
  const took = (): number => {
    const { user, system } = process.threadCpuUsage(from);
    return (user + system) / 1000;
  };
  try {
    return { result: await done(job), took: took() };
  } catch (error) {
    if (error instanceof SamlRefused)
      return { problem: { code: error.code, message: error.message }, took: took() };
    return {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      took: took(),
    };
  }
}

function done(job: Job): object | Promise<object> {
  switch (job.kind) {
    case 'response':
      return verifyResponse(job.xml, job.expected);
    case 'logout':
      return 'query' in job.message
        ? verifyLogoutRequest(job.message.query, job.expected)
        : verifyPostedLogoutRequest(job.message.xml, job.expected);
    case 'metadata':
      break;
  }
  return readMetadata(job.xml);
}
