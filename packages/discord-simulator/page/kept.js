/**
 * Fills a list with elements, each made once for what it shows: what is open, ticked or focused in one stays so while
 * something else changes. The key of an entry says all that its element depends on.
 */
export function createKept(list) {
  let kept = new Map();
  return (entries) => {
    kept = new Map(entries.map(({ key, make }) => [key, kept.get(key) ?? make()]));
    const wanted = [...kept.values()];
    for (const child of [...list.children]) {
      if (!wanted.includes(child)) {
        child.remove();
      }
    }
    wanted.forEach((element, index) => {
      if (list.children[index] !== element) {
        list.insertBefore(element, list.children[index] ?? null);
      }
    });
  };
}
