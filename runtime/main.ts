#!/usr/bin/env node
/** The command line `sluice`. A command's module is loaded when it is called, so that the rest stays quick. */
import { Command, CommanderError } from 'commander'
import { version } from './commands/version.ts'
import { Invalid, textOf } from './errors.ts'

interface Entry {
  readonly says: string
  /** The command's module; it defines arguments, flags and what to do. */
  readonly load: () => Promise<{ define(command: Command): void }>
}

const commands: Readonly<Record<string, Entry>> = {
  dev: {
    says: 'run everything on this machine, with NATS and Postgres embedded',
    load: () => import('./commands/dev.ts'),
  },
  control: { says: 'run the API, the intake and the recorder', load: () => import('./commands/control.ts') },
  bridge: { says: 'run a bridge, which moves messages to workers', load: () => import('./commands/bridge.ts') },
  migrate: { says: "bring the database to this version's schema", load: () => import('./commands/migrate.ts') },
  init: { says: 'make a project of your own', load: () => import('./commands/init.ts') },
  apply: { says: 'create or change topologies from files', load: () => import('./commands/client/files/apply.ts') },
  get: { says: 'list topologies, nodes, runs, workers, …', load: () => import('./commands/client/get/get.ts') },
  run: { says: 'start a run of a topology', load: () => import('./commands/client/run.ts') },
  cancel: { says: 'cancel a run', load: () => import('./commands/client/cancel.ts') },
  pause: { says: 'pause a topology or a node, at once', load: () => import('./commands/client/pause.ts') },
  resume: { says: 'resume a topology or a node', load: () => import('./commands/client/pause.ts') },
  trash: {
    says: 'look at failed messages; edit, replay or discard them',
    load: () => import('./commands/client/trash.ts'),
  },
  worker: { says: 'register workers', load: () => import('./commands/client/worker.ts') },
  token: { says: 'make and remove tokens', load: () => import('./commands/client/token.ts') },
  doctor: {
    says: 'check NATS, Postgres, clocks and versions, and say what is wrong',
    load: () => import('./commands/doctor.ts'),
  },
}

/** Exit code: 0 done, 1 failed, 2 wrong use. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const program = await programFor(args)
    await program.parseAsync(args, { from: 'user' })
    return Number(process.exitCode ?? 0)
  } catch (error) {
    return report(error)
  }
}

/** All commands by name, and the wanted one in full. */
async function programFor(args: readonly string[]): Promise<Command> {
  const program = plain(new Command('sluice'))
    .description('Moves data record by record through a graph of small HTTP workers joined by durable queues.')
    .version(version())
    .helpCommand('help [command]', 'say more of a command')
  const words = args.filter((arg) => !arg.startsWith('-'))
  const wanted = words[0] === 'help' ? words[1] : words[0]
  for (const [name, { says, load }] of Object.entries(commands)) {
    const command = plain(program.command(name)).description(says)
    if (name === wanted) (await load()).define(command)
  }
  return program
}

/** Errors are thrown, to be reported in one line; a command's commands inherit this. */
function plain(command: Command): Command {
  return command
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      outputError: (text, write) =>
        write(
          text
            .trim()
            .replaceAll(/\s*\n\s*/g, ' ')
            .replace(/^error: /, '')
            .replace(/^unknown command .*/, '$& (see `sluice --help`)') + '\n',
        ),
    })
}

/** What went wrong, in one line and one for each fault; returns the exit code. */
async function report(error: unknown): Promise<number> {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  const lines = [textOf(error)]
  if (error instanceof Invalid)
    lines.push(...error.errors.map(({ path, message }) => `  ${path && `${path}: `}${message}`))
  process.stderr.write(lines.join('\n') + '\n')
  const { isDebugging } = await import('./options.ts')
  if (isDebugging() && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`)
  return error instanceof Invalid ? 2 : 1
}

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', () => process.exit(0))

const code = await main(process.argv.slice(2))
// What a closed part may have left open (an idle connection, a timer) doesn't keep the command from ending.
process.stdout.write('', () => process.exit(code))
