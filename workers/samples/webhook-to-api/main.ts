/** The ticket system of the sample on port 8090, until it is told to end; it prints what it has. */
import { startTickets } from './tickets.ts'

const system = await startTickets({ port: 8090 })
console.log(`tickets: ${system.url}`)
let shown = 0
const timer = setInterval(() => {
  const all = [...system.tickets.values()]
  for (const ticket of all.slice(shown)) console.log(JSON.stringify(ticket))
  shown = all.length
}, 200)
process.once('SIGINT', () => {
  clearInterval(timer)
  void system.close()
})
