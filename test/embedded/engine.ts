/** A process that holds embedded services in the folder it's given, for tests that end it in all sorts of ways. */
import { startEmbedded } from '../../runtime/embedded/index.ts'

const services = await startEmbedded({ dataDir: process.argv[2] ?? '', durable: false })

process.on('SIGINT', () => {
  void services.postgres
    .createDatabase('after_interrupt')
    .then(() => process.stdout.write('still serving\n'))
    .then(() => services.stop())
    .then(() => process.exit(0))
})

process.stdout.write('ready\n')
setInterval(() => {}, 60_000)
