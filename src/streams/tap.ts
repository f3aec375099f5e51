/** Lets items through unchanged and shows each to `look` first. What `look` throws ends the stream. */
export async function* tap<Item>(items: AsyncIterable<Item>, look: (item: Item) => void): AsyncGenerator<Item> {
  for await (const item of items) {
    look(item)
    yield item
  }
}
