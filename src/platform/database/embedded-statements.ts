import {
  parse,
  protocol,
  types,
  type PGlite,
  type QueryOptions,
  type Results,
} from '@electric-sql/pglite';

/**
 * Statements of the embedded database are prepared once by name, as `pg` does with ours. PGlite parses
 * and describes each one anew, in five messages; here a repeated one is bound and executed in one, and
 * the database keeps its plan. Most of what a request costs there is that.
 */

const { serialize } = protocol;

/** What is repeated, and whose plan is worth keeping. Everything else goes the plain way. */
const repeatable = /^\s*(with|select|insert|update|delete)\b/i;

/** Changes the shape of what others return: plans of before are worthless. */
const reshaping = /\b(create|alter|drop|truncate)\s/i;

/** More are forgotten, the longest unused first. */
const most = 500;

type Message = Awaited<ReturnType<PGlite['execProtocol']>>['messages'][number];

interface Statement {
  name: string;
  parameterTypes: number[];
  /** The message that names the columns, or null where there are none. */
  columns: Columns | null;
}

type Columns = Message & { fields: { name: string; dataTypeID: number }[] };

type Query = <Row>(
  text: string,
  params?: unknown[],
  options?: QueryOptions,
) => Promise<Results<Row>>;

/** Lets `query`, in a transaction and outside, keep what it sends prepared. */
export function keepPrepared(pglite: PGlite): void {
  const statements = new Map<string, Statement>();
  /** Names that the database is told to forget with the next one it prepares. */
  let forgotten: string[] = [];
  let named = 0;

  function reshaped(text: string): void {
    if (!reshaping.test(text)) return;
    for (const { name } of statements.values()) forgotten.push(name);
    statements.clear();
  }

  const plain = pglite.query.bind(pglite) as Query;
  const plainExec = pglite.exec.bind(pglite);
  const plainTransaction = pglite.transaction.bind(pglite);

  pglite.query = (async <Row>(text: string, params: unknown[] = [], options?: QueryOptions) => {
    if (!repeatable.test(text) || options?.paramTypes) {
      reshaped(text);
      return plain<Row>(text, params, options);
    }
    await pglite._checkReady();
    return pglite._runExclusiveTransaction(() => run<Row>(text, params, options));
  }) as PGlite['query'];

  pglite.exec = (text, options) => {
    reshaped(text);
    return plainExec(text, options);
  };

  pglite.transaction = (callback) =>
    plainTransaction((tx) => {
      const plainQuery = tx.query.bind(tx) as Query;
      tx.query = (<Row>(text: string, params: unknown[] = [], options?: QueryOptions) => {
        if (repeatable.test(text) && !options?.paramTypes && !tx.closed)
          return run<Row>(text, params, options);
        reshaped(text);
        return plainQuery<Row>(text, params, options);
      }) as typeof tx.query;
      return callback(tx);
    });

  function run<Row>(
    text: string,
    params: unknown[],
    options: QueryOptions | undefined,
  ): Promise<Results<Row>> {
    return pglite._runExclusiveQuery(async () => {
      const statement = await prepared(text);
      const values = params.map((value, index) => {
        if (value === null || value === undefined) return null;
        const type = statement.parameterTypes[index]!;
        const written = options?.serializers?.[type] ?? pglite.serializers[type];
        return written ? written(value) : (value as { toString(): string }).toString();
      });
      const messages = await exchange(
        serialize.bind({ statement: statement.name, values }),
        serialize.execute({}),
      );
      if (!pglite.isInTransaction()) await pglite.syncToFs();
      if (options?.rowMode !== 'array')
        return read<Row>(statement.columns?.fields ?? [], messages, options?.parsers);
      const all = statement.columns ? [statement.columns, ...messages] : messages;
      return parse.parseResults(all, pglite.parsers, options)[0] as Results<Row>;
    });
  }

  /**
   * The rows of an answer. PGlite's own reader copies its table of three hundred parsers for each
   * answer, which takes longer than reading it.
   */
  function read<Row>(
    fields: Columns['fields'],
    messages: readonly Message[],
    own: QueryOptions['parsers'] = {},
  ): Results<Row> {
    const parsers = fields.map(({ dataTypeID }) => (dataTypeID in own ? own : pglite.parsers));
    const rows: Row[] = [];
    let affectedRows = 0;
    for (const message of messages)
      if (message.name === 'dataRow') {
        const values = (message as unknown as { fields: (string | null)[] }).fields;
        const row: Record<string, unknown> = {};
        for (const [index, { name, dataTypeID }] of fields.entries())
          row[name] = types.parseType(values[index]!, dataTypeID, parsers[index]);
        rows.push(row as Row);
      } else if (message.name === 'commandComplete') {
        const [command, ...counts] = (message as unknown as { text: string }).text.split(' ');
        if (command !== 'SELECT') affectedRows = Number(counts.at(-1));
      }
    return { rows, affectedRows, fields };
  }

  /** The statement of this text, prepared now where it is not. */
  async function prepared(text: string): Promise<Statement> {
    const known = statements.get(text);
    if (known) {
      statements.delete(text);
      statements.set(text, known);
      return known;
    }
    const name = `s${(named += 1)}`;
    if (statements.size >= most) {
      const [oldest] = statements as Iterable<[string, Statement]>;
      statements.delete(oldest![0]);
      forgotten.push(oldest![1].name);
    }
    const closing = forgotten.map((name) => serialize.close({ type: 'S', name }));
    forgotten = [];
    const messages = await exchange(
      ...closing,
      serialize.parse({ name, text }),
      serialize.describe({ type: 'S', name }),
    );
    const parameters = messages.find(({ name }) => name === 'parameterDescription');
    const statement: Statement = {
      name,
      parameterTypes: (parameters as { dataTypeIDs?: number[] } | undefined)?.dataTypeIDs ?? [],
      columns:
        (messages.find(({ name }) => name === 'rowDescription') as Columns | undefined) ?? null,
    };
    statements.set(text, statement);
    return statement;
  }

  /** Sends these at once, with the message that ends them, so that an error leaves nothing open. */
  async function exchange(...parts: Uint8Array[]): Promise<Message[]> {
    const { messages } = await pglite.execProtocol(Buffer.concat([...parts, serialize.sync()]), {
      syncToFs: false,
    });
    return messages;
  }
}
