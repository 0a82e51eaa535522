import { NatsConnectionImpl, setTransportFactory } from '@nats-io/transport-node/lib/nats-base-client.js'
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node'
import { NodeTransport, nodeResolveHost } from '@nats-io/transport-node/lib/node_transport.js'

/**
 * The client's own transport, but what is sent within one turn of the event loop goes to the socket in one write. The client
 * writes after every microtask: with many messages in flight that is a system call for each publish and each ack, which costs the
 * bridge and the server more than anything else (see docs/decisions).
 */
class CoalescingTransport extends NodeTransport {
  #frames: Uint8Array[] = []

  override send(frame: Uint8Array): void {
    if (this.#frames.push(frame) === 1) setImmediate(() => this.#flush())
  }

  override async close(error?: Error): Promise<void> {
    this.#flush()
    await super.close(error)
  }

  #flush(): void {
    const frames = this.#frames
    if (frames.length === 0) return
    this.#frames = []
    super.send(frames.length === 1 && frames[0] !== undefined ? frames[0] : Buffer.concat(frames))
  }
}

/** As the client's `connect`, over that transport. */
export function connectCoalescing(options: ConnectionOptions): Promise<NatsConnection> {
  setTransportFactory({ factory: () => new CoalescingTransport(), dnsResolveFn: nodeResolveHost })
  return NatsConnectionImpl.connect(options)
}
