import { useSimilar } from './api';
import { Row } from './row';

/** Products like this one. */
export function Similar({ productId }: { productId: string }) {
  const similar = useSimilar(productId);
  if (similar.data?.items.length === 0) return null;
  const popular = similar.data && similar.data.strategy !== 'similar';
  return <Row title={popular ? 'Popular right now' : 'Similar products'} query={similar} />;
}
