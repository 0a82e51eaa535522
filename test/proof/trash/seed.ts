import postgres from 'postgres'
import { fingerprint } from '../../../runtime/store/fingerprint.ts'

export interface Seed {
  readonly postgresUrl: string
  readonly topologyId: string
  readonly nodeId: string
  readonly count: number
}

const portion = 50_000
const errors = ['Order 17 has no country', 'Customer "Ann" is gone', 'it is too late'].map((title, n) => ({
  ...{ type: 'about:blank', title, status: 422 + n, detail: 'as the worker says it' },
}))

/**
 * Writes open messages of the tenant ann into Trash, in a run that has failed with them, as a recorder would have: of three kinds, with
 * bodies of JSON, bytes and text, a tenth of them edited once or twice.
 */
export async function seedTrash(seed: Seed): Promise<void> {
  const client = postgres(seed.postgresUrl, { max: 1, onnotice: () => {} })
  try {
    await client`
      insert into runs (id, topology_id, topology_name, node_id, node_name, start_seen, state, tenant, started_at, finished_at, failed)
      values ('seeded', ${seed.topologyId}, 'orders', ${seed.nodeId}, 'a', true, 'failed', 'ann', now(), now(), ${seed.count})`
    for (let from = 0; from < seed.count; from += portion) await seedPortion(client, seed, from)
    await client`vacuum analyze trash`
  } finally {
    await client.end()
  }
}

async function seedPortion(client: postgres.Sql, { topologyId, nodeId, count }: Seed, from: number): Promise<void> {
  const kinds = errors.map((error) => ({ error, print: fingerprint(nodeId, error) }))
  const attempt = {
    attempt: 1,
    at: '2026-03-01T10:00:00.000Z',
    instance: 'http://w',
    status: 422,
    problem: errors[0],
    durationMs: 7,
  }
  await client`
    with kinds as (select * from unnest(${kinds.map(({ error }) => JSON.stringify(error))}::text[], ${kinds.map(({ print }) => print)}::text[])
      with ordinality as k(error, print, n))
    insert into trash (id, topology_id, topology_name, node_id, node_name, revision, run_id, message_id, attempts, error, fingerprint,
      message, headers, content_type, body, created_at)
    select 'seed-' || lpad(i::text, 9, '0'), ${topologyId}, 'orders', ${nodeId}, 'a', 1, 'seeded', 'm' || i,
      ${JSON.stringify([attempt])}::text::jsonb, k.error::jsonb, k.print,
      jsonb_build_object('id', 'm' || i, 'from', 'start', 'created', '2026-03-01T09:00:00.000Z', 'replay', 0, 'page', 0, 'cursor', null,
        'tenant', 'ann', 'key', 'k' || i % 100, 'trace', '00-' || md5(i::text) || '-b7ad6b7169203331-01',
        'headers', jsonb_build_object('x-n', i::text), 'contentType', case i % 3 when 0 then 'application/json' else 'text/plain' end),
      jsonb_build_object('x-n', i::text), case i % 3 when 0 then 'application/json' else 'text/plain' end,
      case i % 3 when 0 then convert_to('{"n":' || i || ',"pad":"' || repeat('x', 400) || '"}', 'UTF8')
        when 1 then decode(repeat(md5(i::text), 12), 'hex') else convert_to('Žofie "' || i || '"' || E'\n', 'UTF8') end,
      timestamptz '2026-03-01T10:00:00Z' + i / 3 * interval '1 ms'
    from generate_series(${from}::int, ${Math.min(from + portion, count) - 1}::int) i join kinds k on k.n = i % 3 + 1`
  await client`
    insert into trash_versions (trash_id, version, headers, content_type, body, reason, by, created_at)
    select 'seed-' || lpad(i::text, 9, '0'), v, '{"x-a": "ž"}', 'text/plain', convert_to('edit ' || v || ' of ' || i, 'UTF8'),
      case v when 1 then 'why' end, 'ann', timestamptz '2026-03-02T10:00:00Z'
    from generate_series(${from}::int, ${Math.min(from + portion, count) - 1}::int) i, generate_series(1, 1 + i % 20 / 10) v
    where i % 10 = 0`
}
