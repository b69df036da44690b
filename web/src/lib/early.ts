import type { Product, ProductPage } from '@/api/schema';
import { apiPaths } from '@/lib/api-paths';
import { askEarly } from '@/lib/http';
import { filtersFromSearch } from '@/lib/urls';

/** How many products of a list are in sight at once on a phone; what is beside them may wait. */
const IN_SIGHT = 4;

/**
 * Asks for what the page at an address will ask for, and for the pictures that it will show first: on a slow network, the
 * script that shows them is on its way for longer than they are.
 */
export function askForPage({ pathname, search }: { pathname: string; search: string }): void {
  // Other ids are none, and need no quick answer.
  const id = /^\/products\/([0-9a-f-]{36})\/?$/.exec(pathname)?.[1];
  if (id) {
    askEarly<Product>(apiPaths.product(id), (product) => showEarly([product]));
    askEarly(apiPaths.similar(id));
  } else if (/^\/products\/?$/.test(pathname)) {
    const filters = filtersFromSearch(new URLSearchParams(search));
    askEarly<ProductPage>(apiPaths.products(filters), ({ items }) => showEarly(items.slice(0, IN_SIGHT)));
    askEarly(apiPaths.facets(filters));
  } else if (pathname === '/') {
    askEarly(apiPaths.recommendations());
    askEarly(apiPaths.categories());
  }
}

/** The browser keeps a picture that the document has asked for until an element shows it. */
function showEarly(products: Product[]): void {
  for (const product of products) {
    const picture = new Image();
    picture.fetchPriority = 'high';
    picture.src = product.image_url;
  }
}
