import { resolve } from 'node:path'
import type { CitiesSample } from '../../../workers/samples/cities/sample.ts'
import { textOf } from '../../errors.ts'
import { optionTable } from '../../options.ts'
import type { Ground } from './engine.ts'
import { followRun } from './follow.ts'
import { beginRun, keepAssignment, sourceSize } from './sample.ts'
import type { Assignment } from './sample.ts'
import { cliOf, discrepancies, jsonOf, resultOf, summaryOf } from './summary.ts'

interface SampleRun {
  readonly ground: Ground
  readonly sample: CitiesSample
  readonly wanted: Assignment
  /** Nothing else is to be served when it has ended. */
  readonly once: boolean
  readonly signal: AbortSignal
}

/**
 * Runs the sample to its end, and says what came of it; returns that as a line of JSON, or nothing if there is no end.
 * Sets exit code 1 when the records don't add up. Throws when the run gets stuck and nothing else is to be served.
 */
export async function runSample({ ground, sample, wanted, once, signal }: SampleRun): Promise<string[]> {
  const { client, folder } = ground
  try {
    const source = await sourceSize(sample)
    console.log(`The sample reads ${source} places, one record each, and stores them in the table places:`)
    const runId = await beginRun(client, sample, wanted)
    const followed = await followRun({ engine: client, runId, source, signal })
    keepAssignment(folder, { ...wanted, ended: true })
    const result = await resultOf(followed, sample)
    for (const line of summaryOf(result, cliOf(folder, resolve(defaultData) === folder))) console.log(line)
    const wrong = discrepancies(result)
    for (const line of wrong) console.error(`It doesn't add up: ${line}`)
    if (wrong.length > 0) process.exitCode = 1
    return [jsonOf(result)]
  } catch (error) {
    if (once || signal.aborted) throw error
    process.exitCode = 1
    console.error(textOf(error))
    return []
  }
}

const defaultData = optionTable.find(({ name }) => name === 'data')?.default ?? ''
