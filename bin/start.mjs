// npm start: installs and compiles what is missing, the console too, then runs `sluice dev`. Plain JavaScript with nothing but Node, since it has to
// run in a fresh clone, also on a Node that is too old for the rest.
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

const oldest = [20, 19]
/** ^C reaches us from the terminal, and at once again from npm, which passes it on. */
const sameSignalMs = 500
const parentEveryMs = 500
/** Known before anything slow begins. */
const parent = process.ppid

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(`Node ${oldest.join('.')} or newer is needed, and this is ${process.versions.node}\n`)
  process.exit(1)
}

const { ensureInstalled } = await import('./install.mjs')
const { ensureCompiled } = await import('./compiled.mjs')
let entry = ''
try {
  await ensureInstalled()
  entry = await ensureCompiled()
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exit(1)
}

// The engine runs without a console, and says so where it would be.
try {
  const { ensureConsole } = await import('./console.mjs')
  await ensureConsole()
} catch (error) {
  process.stderr.write(`the console can't be built, so there is none: ${error.message}\n`)
}

const leash = new URL('leash.mjs', import.meta.url).href
// In a process group of its own, so that it gets each signal once, from here.
const child = spawn(process.execPath, ['--import', leash, entry, 'dev', ...process.argv.slice(2)], {
  detached: true,
  stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
})

// npm that was killed can pass nothing on. Whoever started us without npm may end, as the shell of a `nohup … &` does.
const orphaned = setInterval(() => {
  if (process.ppid === parent) return
  clearInterval(orphaned)
  child.kill('SIGTERM')
}, parentEveryMs)
if (process.env.npm_lifecycle_event !== 'start') clearInterval(orphaned)

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  let last = -Infinity
  process.on(signal, () => {
    clearInterval(orphaned)
    if (performance.now() - last > sameSignalMs) child.kill(signal)
    last = performance.now()
  })
}

child.once('error', (error) => {
  process.stderr.write(`the engine can't be started: ${error.message}\n`)
  process.exit(1)
})
child.once('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code))
