import { usePopular, useRecommendations } from './api';
import { SHOWN } from './recommended';
import { Row } from './row';

/** What is popular, for a customer whose recommendations are their own; whoever has none sees it in their place. */
export function Popular() {
  const own = useRecommendations().data;
  return own?.strategy === 'personal' ? (
    <PopularBut without={own.items.slice(0, SHOWN).map(({ product }) => product.id)} />
  ) : null;
}

function PopularBut({ without }: { without: string[] }) {
  return <Row title="Popular right now" query={usePopular()} without={without} />;
}
