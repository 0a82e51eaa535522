#!/usr/bin/env node
/** The command line `sluice`. */
import { runCommand } from './commands/program/run.ts'

// A reader that has seen enough, such as head, closes the pipe.
process.stdout.on('error', () => process.exit(0))

const code = await runCommand(process.argv.slice(2))
// What a closed part may have left open (an idle connection, a timer) doesn't keep the command from ending.
process.stdout.write('', () => process.exit(code))
