import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  registry: Registry;
  requests: Counter<'method' | 'route' | 'status'>;
  durations: Histogram<'route'>;
  signIns: Counter<'outcome'>;
  engineErrors: Counter<'event' | 'error'>;
  outbox: Gauge;
}

/** What Prometheus reads. Routes, never addresses: no name of a person or an account is a label. */
export function metrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    requests: new Counter({
      name: 'ostiary_http_requests_total',
      help: 'HTTP requests answered.',
      labelNames: ['method', 'route', 'status'],
      registers,
    }),
    durations: new Histogram({
      name: 'ostiary_http_request_seconds',
      help: 'How long requests took.',
      labelNames: ['route'],
      buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
      registers,
    }),
    signIns: new Counter({
      name: 'ostiary_sign_ins_total',
      help: 'Passwords that were tried, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    engineErrors: new Counter({
      name: 'ostiary_oauth_errors_total',
      help: 'Errors that applications were given.',
      labelNames: ['event', 'error'],
      registers,
    }),
    outbox: new Gauge({
      name: 'ostiary_outbox_waiting',
      help: 'Mails, logout tokens and webhooks that wait to leave.',
      registers,
    }),
  };
}
