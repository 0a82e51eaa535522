/** The command line `sluice`, as commander reads it. */
import { Command } from 'commander'
import { commands } from './table.ts'
import { version } from '../version.ts'

/** What needs all commands in full, not only the one that is called. */
const needsAll = ['completion', '__complete']

/** All commands by name, and the wanted one in full. */
export async function programFor(args: readonly string[]): Promise<Command> {
  const words = args.filter((arg) => !arg.startsWith('-'))
  const wanted = words[0] === 'help' ? words[1] : words[0]
  return wanted !== undefined && needsAll.includes(wanted) ? wholeProgram() : programOf((name) => name === wanted)
}

/** All commands in full. */
export function wholeProgram(): Promise<Command> {
  return programOf(() => true)
}

async function programOf(isWanted: (name: string) => boolean): Promise<Command> {
  const program = plain(new Command('sluice'))
    .description('Moves data record by record through a graph of small HTTP workers joined by durable queues.')
    .version(version())
    .helpCommand('help [command]', 'say more of a command; --all: of every one')
  for (const [name, { says, load, isHidden = false }] of Object.entries(commands)) {
    const command = plain(program.command(name, { hidden: isHidden })).description(says)
    if (isWanted(name)) (await load()).define(command)
  }
  return program
}

/** Every command that does something, with its full name, such as `trash list`. */
export function leavesOf(program: Command): { name: string; command: Command }[] {
  const leaves = (command: Command, name: string): { name: string; command: Command }[] =>
    command.commands.length === 0
      ? [{ name, command }]
      : command.commands.flatMap((each) => leaves(each, `${name} ${each.name()}`.trimStart()))
  return leaves(program, '').filter(({ name }) => commands[name]?.isHidden !== true)
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
            .replace(/^unknown command '(?:list|ls)'/, '$&; lists are `sluice get KIND`, such as `sluice get services`')
            .replace(/^unknown command .*/, '$& (see `sluice --help`)') + '\n',
        ),
    })
}
