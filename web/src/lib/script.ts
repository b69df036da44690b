import { tabStorage } from '@/lib/storage';

/** The builds of the shop that were loaded again in this tab. */
const RELOADED = 'shopmicro.reloaded';
/** A shop that takes longer to say that it is there is not. */
const ANSWER_MS = 5_000;
/** A page whose script takes longer says so. The script is still awaited. */
const SCRIPT_MS = 15_000;
/** Changes with every build, as the script's name does. */
const BUILD = import.meta.url;

/** A script of a page that did not come. */
export class MissingScript extends Error {
  override readonly name = 'MissingScript';
  /** Asks for it once more. */
  readonly again: () => Promise<unknown>;

  constructor(again: () => Promise<unknown>, options: ErrorOptions) {
    super('the script of a page did not come', options);
    this.again = again;
  }
}

/** Loads a script with its styles. One that failed before is asked for again, and so are its styles. */
export async function script<T>(load: () => Promise<T>): Promise<T> {
  await missingStyles();
  return load();
}

/**
 * Loads the script of a page that is being gone to. Where the shop answers and the script is not there, this tab may be older
 * than the shop: the page is loaded again, once for each build.
 */
export async function pageScript<T>(load: () => Promise<T>): Promise<T> {
  const late = new Error('the script of a page is late');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), SCRIPT_MS);
  });
  try {
    return await Promise.race([script(load), deadline]);
  } catch (error) {
    // What is on its way would begin anew.
    if (error === late || !(await shopAnswers()) || !mayReload()) throw error;
    location.reload();
    // The page is about to go; what would be said of the failure would only flash.
    return new Promise(() => {});
  } finally {
    clearTimeout(timer);
  }
}

/** Styles that did not come. */
const lost = new Set<HTMLLinkElement>();
document.addEventListener(
  'error',
  ({ target }) => {
    if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') lost.add(target);
  },
  true,
);

/** Those that were asked for again and are on their way, for whoever needs them. */
const coming = new Set<Promise<unknown>>();

/** Vite asks for each style once, and from then on takes it for one that is there. */
async function missingStyles(): Promise<void> {
  for (const link of lost) {
    lost.delete(link);
    const copy = link.cloneNode();
    const there = new Promise((resolve, reject) => {
      copy.addEventListener('load', resolve);
      copy.addEventListener('error', () => reject(new Error(`no style at ${link.href}`)));
    }).finally(() => coming.delete(there));
    coming.add(there);
    link.replaceWith(copy);
  }
  await Promise.all(coming);
}

async function shopAnswers(): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(ANSWER_MS);
    return (await fetch('/', { method: 'HEAD', cache: 'no-store', signal })).ok;
  } catch {
    return false;
  }
}

/** True once for each build and tab, and never where nobody would remember. */
function mayReload(): boolean {
  const builds = tabStorage.get(RELOADED)?.split(' ') ?? [];
  return !builds.includes(BUILD) && tabStorage.set(RELOADED, [...builds, BUILD].join(' '));
}
