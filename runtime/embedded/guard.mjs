// Ends nats-server and Postgres when the engine is gone, however it went. Plain JavaScript, since it runs by itself,
// from the sources as from dist.
//
// The engine holds the other end of stdin and writes a line when it starts a program (`+ <pid> <signal>`: how to end
// it) and when that has ended (`- <pid>`). The end of stdin means that the engine is gone.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'

const graceMs = 5_000

// ^C and a closed terminal are for the engine, which ends in its own order.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})

/** @type {Map<number, NodeJS.Signals>} */
const programs = new Map()
for await (const line of createInterface({ input: process.stdin })) {
  const [sign, pid, signal] = line.split(' ')
  if (sign === '+') programs.set(Number(pid), signal)
  else programs.delete(Number(pid))
}

const deadline = performance.now() + graceMs
let left = [...programs].filter(([pid, signal]) => send(pid, signal))
while (left.length > 0 && performance.now() < deadline) {
  await delay(50)
  left = left.filter(([pid]) => send(pid, 0) && !isZombie(pid))
}
for (const [pid] of left) send(pid, 'SIGKILL')

/** Whether there was a process to send it to. */
function send(pid, signal) {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Ended, but whoever adopted it (in a container often nobody) hasn't noticed; such a process can still be signalled. */
function isZombie(pid) {
  try {
    return /^.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
