import { useEffect } from 'react';
import { useParams } from 'react-router';
import { Loaded } from '@/components/loaded';
import { PageTitle } from '@/components/page-title';
import { Skeleton } from '@/components/skeleton';
import { useMe } from '@/features/account/session';
import { AddToCart } from '@/features/cart/add-to-cart';
import { noteView, useProduct } from '@/features/catalogue/api';
import { ProductDetail } from '@/features/catalogue/product-detail';
import { RecentlyViewedLater } from '@/features/catalogue/recently-viewed-later';
import { Similar } from '@/features/recommendations/similar';
import { isMissing } from '@/lib/http';
import { NotFoundPage } from './not-found';
import styles from './pages.module.css';

export function ProductPage() {
  const { id = '' } = useParams();
  const product = useProduct(id);
  const shown = product.data?.id;
  const user = useMe().data?.id;
  useEffect(() => {
    if (user && shown) noteView(shown);
  }, [user, shown]);
  if (isMissing(product.error)) return <NotFoundPage />;
  return (
    <div className={styles.sections}>
      <Loaded
        query={product}
        heading="Product"
        loading={
          <div className={styles.split} role="status" aria-label="Loading product">
            <Skeleton shape="picture" />
            <div className={styles.page}>
              <Skeleton shape="title" />
              <Skeleton shape="row" />
            </div>
          </div>
        }
      >
        {(product) => (
          <>
            <PageTitle>{product.name}</PageTitle>
            <ProductDetail
              product={product}
              // Another product begins with a quantity of one and no message.
              action={<AddToCart key={product.id} product={product} />}
            />
            <Similar productId={product.id} />
            <RecentlyViewedLater key={product.id} current={product.id} />
          </>
        )}
      </Loaded>
    </div>
  );
}
