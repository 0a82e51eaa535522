import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { City, Place } from '../../workers/samples/cities/records.ts'
import { citiesTopologyFile, startCitiesSample, type CitiesSample } from '../../workers/samples/cities/sample.ts'
import { freshDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

const samples = new URL('../../workers/samples/cities/', import.meta.url)
const lines: string[] = []
let sample: CitiesSample

beforeAll(async () => {
  sample = await startCitiesSample({
    postgresUrl: await freshDatabase(),
    scale: 2,
    places: 300,
    log: (line) => void lines.push(line),
  })
})
afterAll(() => sample.stop())

function call(node: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${sample.workerUrl}/nodes/${node}`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

/** Moves every record through the nodes one after the other, as the engine does; what is refused is given back. */
async function moveAll(run: string): Promise<unknown[]> {
  const refused: unknown[] = []
  let cursor: string | null = ''
  for (let page = 0; cursor !== null; page += 1) {
    const list: Response = await call('list', {}, cursor === '' ? {} : { 'sluice-cursor': cursor })
    expect([list.status, list.headers.get('sluice-emit')]).toEqual([200, 'records'])
    cursor = list.headers.get('sluice-cursor')
    const records = (await list.json()) as City[]
    const move = async (record: City, index: number) => {
      const normalised = await call('normalise', record)
      const enriched = await call('enrich', await normalised.json())
      if (!enriched.ok) return void refused.push(await enriched.json())
      const headers = { 'ce-id': `m#${page}.${index}`, 'ce-correlationid': run }
      const stored = await call('store', await enriched.json(), headers)
      expect(stored.status).toBe(204)
    }
    for (let at = 0; at < records.length; at += 50) {
      await Promise.all(records.slice(at, at + 50).map((record, index) => move(record, at + index)))
    }
  }
  return refused
}

describe('the sample cities', () => {
  test('moves every place of the source to the table, but for those that no longer exist', async () => {
    const refused = await moveAll('r1')
    expect(refused).toHaveLength(2)
    expect(refused[0]).toMatchObject({ title: 'Place no longer exists', status: 422 })
    const counts = { source: 600, stored: 598, trashCandidates: 2, duplicates: 0, missing: 0, missingIds: [], extra: 0 }
    expect(await sample.counts()).toEqual(counts)
    expect(await sample.counts('r1')).toEqual(counts)
    expect(await sample.counts('r2')).toMatchObject({ stored: 0, missing: 598 })
    expect(await sample.faults()).toEqual({ '502': 0, '429': 0, hang: 0 })
  })

  test('shows its nodes in the manifest as the topology uses them', async () => {
    const reply = await fetch(`${sample.workerUrl}/.well-known/sluice-worker`)
    const { worker, nodes } = (await reply.json()) as { worker: string; nodes: { name: string; type: string }[] }
    const topology = parse(await readFile(citiesTopologyFile, 'utf8')) as { nodes: { name: string; type: string }[] }
    const used = topology.nodes.slice(1).map(({ name, type }) => ({ name, type, worker: 'cities' }))
    expect(nodes.map(({ name, type }) => ({ name, type, worker }))).toEqual(used)
  })

  test('hands a fault of the source on as what follows from it', async () => {
    const gone: Partial<Place> = { id: 1, name: 'Ani', country: 'TR', lat: 40, lon: 43, featureCode: 'PPLH' }
    const reply = await call('enrich', gone)
    expect([reply.status, reply.headers.get('sluice-retry')]).toEqual([422, '0'])
    const problem = (await reply.json()) as { detail: string }
    expect(problem.detail).toBe('Ani has the feature code PPLH: it is gone.')
  })

  test('says nothing while all goes well', () => {
    expect(lines).toEqual([])
  })
})

describe('the processes of the sample', () => {
  const alive = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }

  test('end with stop(), which may be called twice', async () => {
    const other = await startCitiesSample({ postgresUrl: await freshDatabase(), places: 10, log: () => {} })
    expect(other.pids.map(alive)).toEqual([true, true])
    await Promise.all([other.stop(), other.stop()])
    expect(other.pids.map(alive)).toEqual([false, false])
  })

  test('end when the process that started them is killed', async () => {
    const code = `
      const { startCitiesSample } = await import(${JSON.stringify(new URL('sample.ts', samples).href)})
      const { pids } = await startCitiesSample({ postgresUrl: process.env.TEST_URL, places: 10, log: console.error })
      console.log(JSON.stringify(pids))
      setInterval(() => {}, 1000)`
    const parent = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), '--conditions=source', '--input-type=module', '-e', code],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TEST_URL: await freshDatabase() } },
    )
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string]
    const pids = JSON.parse(line) as number[]
    expect(pids.map(alive)).toEqual([true, true])
    parent.kill('SIGKILL')
    await eventually('both processes have ended', () => !pids.some(alive))
  })

  test('that cannot start say why, and leave nothing behind', async () => {
    const said: string[] = []
    const postgresUrl = 'postgres://nobody@127.0.0.1:1/nothing'
    await expect(startCitiesSample({ postgresUrl, places: 10, log: (line) => void said.push(line) })).rejects.toThrow(
      "the sample's worker did not start",
    )
    expect(said.join('\n')).toMatch('ECONNREFUSED')
  })

  test.each([
    [['worker'], 'CITIES_SOURCE_URL is not set'],
    [['systems', '--scale', 'x'], '--scale is x, but must be a whole number'],
    [['else'], 'usage: main.ts'],
  ])('started with %j end with a line that says what is wrong', async (args, message) => {
    const loader = ['--import', import.meta.resolve('tsx'), '--conditions=source']
    const child = spawn(process.execPath, [...loader, fileURLToPath(new URL('main.ts', samples)), ...args])
    let said = ''
    child.stderr.on('data', (data: Buffer) => (said += data.toString()))
    const [code] = (await once(child, 'close')) as [number]
    expect([code, said]).toEqual([1, expect.stringContaining(message)])
  })
})
