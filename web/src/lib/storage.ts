interface Store {
  get(key: string): string | null;
  /** True where the value outlives the page. */
  set(key: string, value: string): boolean;
  remove(key: string): void;
  clear(): void;
}

/** Browser storage that may be full or forbidden: then the values live as long as the page. */
function store(area: () => Storage): Store {
  const memory = new Map<string, string>();
  const attempt = <T>(action: () => T, otherwise: T): T => {
    try {
      return action();
    } catch {
      return otherwise;
    }
  };
  return {
    get: (key) => memory.get(key) ?? attempt(() => area().getItem(key), null),
    set: (key, value) => {
      const kept = attempt(() => {
        area().setItem(key, value);
        return true;
      }, false);
      if (kept) memory.delete(key);
      else memory.set(key, value);
      return kept;
    },
    remove: (key) => {
      memory.delete(key);
      attempt(() => area().removeItem(key), undefined);
    },
    clear: () => {
      memory.clear();
      attempt(() => area().clear(), undefined);
    },
  };
}

/** Lives as long as the tab, reloads included. */
export const tabStorage = store(() => sessionStorage);
/** Lives on, and is shared by all tabs. */
export const deviceStorage = store(() => localStorage);

/** Where the device keeps what was looked at last; it goes with whoever looked. */
export const RECENTLY_VIEWED = 'shopmicro.recent';
