/** Rows of an engine that has been in use for long, made inside of Postgres. Ids are made from numbers, so that they can be asked for. */
import { createHash } from 'node:crypto'
import postgres from 'postgres'
import { compilePlan } from '../runtime/topology/compile.ts'
import type { TopologyDocument } from '../runtime/topology/schema.ts'

export interface Amounts {
  readonly topologies: number
  readonly runs: number
  readonly trash: number
  /** All of Trash is open, instead of a tenth. */
  readonly allOpen: boolean
}

export const topologyId = (n: number): string => `t${String(n).padStart(15, '0')}`
export const nodeId = (topology: number, node: number): string =>
  `n${String(topology).padStart(13, '0')}${String(node).padStart(2, '0')}`
export const runId = (n: number): string => `r${String(n).padStart(31, '0')}`
export const trashId = (n: number): string => `f${String(n).padStart(31, '0')}`
export const tenantOf = (n: number): string => `tenant-${n % 1000}`
/** Of topology 0, which has 500 kinds of failures; each other one has 5. */
export const fingerprintOf = (n: number): string =>
  createHash('md5')
    .update(`0-${n % 500}`)
    .digest('hex')
    .slice(0, 16)

/** Every third run and failure belongs to topology 0, the rest is spread over all of them. */
const topologyOf = (n: string): string =>
  `(case when ${n} % 3 = 0 then 0 else ${n} % (select count(*) from topologies) end)`

/** Does nothing in a database that has the rows already. */
export async function seed(url: string, amounts: Amounts, log: (line: string) => void): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => {} })
  try {
    const [row] = await client<{ count: number }[]>`select count(*)::int as count from trash`
    if ((row?.count ?? 0) >= amounts.trash && amounts.trash > 0) return log('the rows are there already')
    for (const [name, statement] of statements(amounts)) {
      const begun = performance.now()
      await client.unsafe(statement)
      log(`${name}: ${((performance.now() - begun) / 1000).toFixed(1)} s`)
    }
  } finally {
    await client.end()
  }
}

function statements({ topologies, runs, trash, allOpen }: Amounts): [string, string][] {
  return [
    ['topologies', topologiesSql(topologies)],
    ['nodes', nodesSql],
    ['revisions', revisionsSql],
    ['workers, services and tokens', registrySql],
    ['runs', runsSql(runs)],
    ['Trash', trashSql(trash, allOpen)],
    ['statistics', 'vacuum analyze'],
  ]
}

const nodeNames = ['start', 'list', 'check', 'enrich', '@store']
const [first = '', ...others] = nodeNames
const document = {
  name: '@name',
  nodes: [{ name: first, type: 'start' }, ...others.map((name) => ({ name, type: 'custom', worker: 'worker-1' }))],
  edges: others.map((to, i) => ({ from: nodeNames[i] ?? '', to })),
} as unknown as TopologyDocument
const nodeIds = new Map(nodeNames.map((name, i) => [name, `@node0${i}`]))
const plan = compilePlan({ topologyId: '@topology', revision: 3, document, nodeIds, stored: new Map() })

/** A JSON text as that of the topology `n`, an expression for its number. */
const filled = (value: object, n: string): string => {
  const number = (digits: number) => `lpad(${n}::text, ${digits}, '0')`
  const swaps = {
    '@store': `'store-' || ${n} % 50`,
    '@name': `'topology-' || ${number(6)}`,
    '@topology': `'t' || ${number(15)}`,
    '@node': `'n' || ${number(13)}`,
  }
  const text = `'${JSON.stringify(value)}'`
  return `${Object.entries(swaps).reduce((made, [from, to]) => `replace(${made}, '${from}', ${to})`, text)}::jsonb`
}

const topologiesSql = (count: number): string => `
  insert into topologies (id, name, description, labels, document, visibility, revision)
  select 't' || lpad(n::text, 15, '0'), 'topology-' || lpad(n::text, 6, '0'), 'Number ' || n, '{"team":"shop"}',
    ${filled(document, 'n')}, 'public', 3
  from generate_series(0, ${count - 1}) n`

const nodesSql = `
  insert into nodes (id, topology_id, name, type, ordinal)
  select n->>'id', t.id, n->>'name', n->>'type', k - 1
  from (select id, substr(id, 2)::bigint as number from topologies) t,
    jsonb_array_elements(${filled({ nodes: plan.nodes }, 'number')}->'nodes') with ordinality as all_nodes(n, k)`

const revisionsSql = `
  insert into revisions (topology_id, revision, kind, plan)
  select t.id, r, 'publish', ${filled(plan, 'number')}
  from (select id, substr(id, 2)::bigint as number from topologies) t, generate_series(1, 3) r`

const registrySql = `
  insert into workers (name, urls) select 'worker-' || n, '["http://127.0.0.1:1"]' from generate_series(1, 200) n;
  insert into services (name) select 'service-' || n from generate_series(1, 200) n;
  insert into tokens (id, name, hash, scopes) select 'token-' || n, 'ci', 'hash-' || n, '["read"]' from generate_series(1, 1000) n`

const runsSql = (count: number): string => `
  insert into runs (id, topology_id, topology_name, node_id, node_name, tenant, state, start_seen, started_at, finished_at, revision,
    done, failed, start_content_type, start_body)
  select 'r' || lpad(n::text, 31, '0'), 't' || lpad(t::text, 15, '0'), 'topology-' || lpad(t::text, 6, '0'),
    'n' || lpad(t::text, 13, '0') || '00', 'start', 'tenant-' || (n % 1000),
    case when n % 10000 = 7 then 'running' when n % 100 < 3 then 'failed' when n % 100 = 3 then 'cancelled' else 'finished' end,
    true, timestamptz '2026-01-01' + n * interval '10 seconds', timestamptz '2026-01-01' + n * interval '10 seconds', 3,
    10, 0, 'application/json', '{}'
  from (select n, ${topologyOf('n')} as t from generate_series(0, ${count - 1}) n) x`

const trashSql = (count: number, allOpen: boolean): string => `
  insert into trash (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts, error, fingerprint,
    message, headers, content_type, body, state, created_at)
  select 'f' || lpad(n::text, 31, '0'), 't' || lpad(t::text, 15, '0'), 'topology-' || lpad(t::text, 6, '0'),
    'n' || lpad(t::text, 13, '0') || '04', 'store-' || (t % 50), 3, 'r' || lpad(n::text, 31, '0'), 'm' || n,
    '[{"attempt":1,"at":"2026-01-01T00:00:00.000Z","instance":null,"status":422,"problem":{"type":"about:blank","title":"Unprocessable"},"durationMs":5}]',
    jsonb_build_object('type', 'about:blank', 'title', 'Unprocessable', 'status', 422, 'detail', 'the order ' || n || ' has no address'),
    left(md5(t || '-' || case when t = 0 then n % 500 else n / 10000 % 5 end), 16), '{}', '{"x-source":"import"}', 'application/json', '{"id":1}',
    case when ${allOpen} or (n + n / 10000) % 10 = 0 then 'open' when (n + n / 10000) % 10 < 5 then 'discarded' else 'replayed' end,
    timestamptz '2026-01-01' + n * interval '10 seconds'
  from (select n, ${topologyOf('n')} as t from generate_series(0, ${count - 1}) n) x`
