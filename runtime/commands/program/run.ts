import { CommanderError } from 'commander'
import type { Command } from 'commander'
import { Invalid, textOf } from '../../errors.ts'
import { didYouMean } from '../../topology/suggest.ts'
import { idsLast } from './ids.ts'
import { leavesOf, programFor, wholeProgram } from './program.ts'

/** Exit code: 0 done, 1 failed, 2 wrong use. */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    if (args[0] === 'help' && args.includes('--all')) return await helpOfAll()
    const program = await programFor(args)
    if (args[0] === 'help') checkAsked(program, args[1])
    await program.parseAsync(idsLast(program, args), { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

/** Commander answers a word that it doesn't know with the help of everything. */
function checkAsked(program: Command, asked: string | undefined): void {
  const names = program.commands.map((command) => command.name())
  if (asked === undefined || asked.startsWith('-') || [...names, 'help'].includes(asked)) return
  throw new Invalid(`unknown command '${asked}'${didYouMean(asked, names)} (see \`sluice --help\`)`)
}

async function helpOfAll(): Promise<number> {
  for (const { name, command } of leavesOf(await wholeProgram())) {
    console.log(`\n## sluice ${name}\n`)
    command.outputHelp()
  }
  return 0
}

/** What went wrong, in one line and one for each fault; returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const lines = [textOf(error)]
  if (error instanceof Invalid)
    lines.push(...error.errors.map(({ path, message }) => `  ${path && `${path}: `}${message}`))
  process.stderr.write(lines.join('\n') + '\n')
  const { isDebugging } = await import('../../options.ts')
  if (isDebugging() && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  return error instanceof Invalid ? 2 : 1
}
