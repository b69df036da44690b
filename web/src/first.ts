import '@fontsource/bricolage-grotesque/700.css';
import '@fontsource-variable/figtree/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import { askForPage } from '@/lib/early';

// The first script is small. What it asks for is on its way while the pages' script is.
askForPage(location);
void import('./main');
