/** Uses a second, over the last ten seconds. */
export class Meter {
  readonly #seconds = new Array<number>(10).fill(0)
  #last = 0

  count(now: number): void {
    this.#turn(now)
    const place = this.#last % 10
    this.#seconds[place] = (this.#seconds[place] ?? 0) + 1
  }

  perSecond(now: number): number {
    this.#turn(now)
    return Math.round(this.#seconds.reduce((sum, one) => sum + one, 0)) / 10
  }

  #turn(now: number): void {
    const second = Math.floor(now / 1000)
    for (let i = Math.max(this.#last + 1, second - 9); i <= second; i++) this.#seconds[i % 10] = 0
    this.#last = Math.max(this.#last, second)
  }
}
