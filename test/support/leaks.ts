import { execFileSync } from 'node:child_process'

/** `<pid> <command line>` of every process whose command line names that folder. */
export function processesOf(folder: string): string[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).split('\n')
  return lines.map((line) => line.trim()).filter((line) => line.includes(folder))
}
