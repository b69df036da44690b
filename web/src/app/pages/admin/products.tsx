import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { Loaded } from '@/components/loaded';
import { Skeletons } from '@/components/skeleton';
import { useEditedProduct } from '@/features/admin/api';
import { ArchivedList } from '@/features/admin/archived-list';
import { EditProduct } from '@/features/admin/edit-product';
import { Import } from '@/features/admin/import';
import { NewProduct } from '@/features/admin/new-product';
import { ProductList } from '@/features/admin/product-list';
import { SearchForm } from '@/features/admin/search-form';
import { Stock } from '@/features/admin/stock';
import { isMissing } from '@/lib/http';
import { urls } from '@/lib/urls';
import { NotFoundPage } from '@/app/pages/not-found';
import styles from './admin.module.css';
import { AdminPage } from './layout';

export function ProductsPage() {
  const [search] = useSearchParams();
  const q = (search.get('q') ?? '').slice(0, 100);
  return (
    <AdminPage
      title="Products"
      actions={
        <p className={styles.bar}>
          <Link to={urls.adminNewProduct()} className="button">
            New product
          </Link>
          <Link to={urls.adminImport()} className="button quiet">
            Import
          </Link>
          <Link to={urls.adminArchived()} className="button quiet">
            Archived
          </Link>
        </p>
      }
    >
      <div className={styles.bar}>
        <SearchForm label="Search products to edit" q={q} to={urls.adminProducts} />
      </div>
      <ProductList q={q} />
    </AdminPage>
  );
}

export function ProductPage() {
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const product = useEditedProduct(id);
  if (isMissing(product.error)) return <NotFoundPage />;
  return (
    <Loaded query={product} heading="Product" loading={<Skeletons shape="row" n={4} />}>
      {(product) => (
        <AdminPage
          title={product.name}
          actions={<Link to={urls.product(product.id)}>See it in the shop</Link>}
        >
          <div className={styles.columns}>
            <EditProduct product={product} onArchived={() => navigate(urls.adminProducts())} />
            <Stock id={product.id} />
          </div>
        </AdminPage>
      )}
    </Loaded>
  );
}

export function NewProductPage() {
  const navigate = useNavigate();
  return (
    <AdminPage title="New product">
      <NewProduct onCreated={(product) => navigate(urls.adminProduct(product.id), { replace: true })} />
    </AdminPage>
  );
}

export function ArchivedPage() {
  return (
    <AdminPage title="Archived products">
      <ArchivedList />
    </AdminPage>
  );
}

export function ImportPage() {
  return (
    <AdminPage title="Import products">
      <Import />
    </AdminPage>
  );
}
