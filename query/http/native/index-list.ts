/** A list of different things, each with its place in it. */
export interface IndexList<Item extends object> {
  readonly items: readonly Item[]
  /** The place of an equal item; the item is added when there is none. */
  indexOf(item: Item): number
}

/** Makes an empty list. Items are equal when their JSON is; the same object is not compared again. */
export function indexList<Item extends object>(): IndexList<Item> {
  const items: Item[] = []
  const byObject = new Map<Item, number>()
  const byJson = new Map<string, number>()
  return {
    items,
    indexOf: (item) => {
      const known = byObject.get(item)
      if (known !== undefined) return known
      const json = JSON.stringify(item)
      const index = byJson.get(json) ?? items.push(item) - 1
      byJson.set(json, index)
      byObject.set(item, index)
      return index
    },
  }
}
