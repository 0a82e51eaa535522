import type { TestProject } from 'vitest/node'
import setup from './services.ts'

/** Proofs measure what people have, which is a disk. */
export default function onDisk(project: TestProject): Promise<() => Promise<void>> {
  return setup(project, true)
}
