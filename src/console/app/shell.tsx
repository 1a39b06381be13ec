import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Suspense } from 'react';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { sessionApi } from '../../contract/adapter-api/index.js';
import { client, type Failed } from '../api/client.js';
import { ErrorBoundary } from '../ui/error-boundary.js';
import { Empty, Loading } from '../ui/notes.js';
import { Page } from '../ui/page.js';
import { ConnectionSign } from './connection-sign.js';
import { NAVIGATION, PAGES, SERVER_NAMES } from './pages.js';
import { useSession } from './session.js';
import { SIGN_OFF_ADDRESS } from '../api/sign-on.js';

export function Shell() {
  const session = useSession();
  const [location] = useLocation();
  const navigation = NAVIGATION[session.server].filter(
    ({ permission, spansModels = false }) =>
      (permission === undefined || session.permissions.includes(permission)) &&
      (session.scopes === null || !spansModels),
  );
  return (
    <div className="shell">
      <a className="skip" href="#content">
        Skip to content
      </a>
      <header className="top">
        <div className="brand">
          OTA Operations <span>{SERVER_NAMES[session.server]}</span>
        </div>
        <nav aria-label="Main">
          {navigation.map(({ to, label }) => (
            <Link
              key={to}
              href={to}
              aria-current={location === to || location.startsWith(`${to}/`) ? 'page' : undefined}
            >
              {label}
            </Link>
          ))}
        </nav>
        <ConnectionSign />
        <SignOut />
      </header>
      <main id="content" tabIndex={-1}>
        <ErrorBoundary key={location}>
          <Suspense fallback={<Loading lines={8} />}>
            <Switch>
              {PAGES[session.server].map(({ path, page }) => (
                <Route key={path} path={path} component={page} />
              ))}
              <Route path="/">
                {navigation[0] ? <Redirect to={navigation[0].to} replace /> : <NoPages />}
              </Route>
              <Route>
                <Page title="Page not found">
                  <Empty title="There is no page at this address.">
                    <p>Choose a page above.</p>
                  </Empty>
                </Page>
              </Route>
            </Switch>
          </Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}

/** Every page of this server spans vehicle models. */
function NoPages() {
  return (
    <Page title={SERVER_NAMES[useSession().server]}>
      <Empty title="There is nothing here for your vehicle models.">
        <p>Ask an administrator for access to all vehicle models.</p>
      </Empty>
    </Page>
  );
}

/** The vehicle models that the user is limited to. */
function Models() {
  const { scopes } = useSession();
  if (scopes === null) return null;
  const models = scopes.length === 0 ? 'no vehicle models' : scopes.join(', ');
  return (
    <span className="tag" title="You see only vehicles and operations of these models">
      {models}
    </span>
  );
}

function SignOut() {
  const { name, role, signedInBy } = useSession();
  const queries = useQueryClient();
  const signOut = useMutation<unknown, Failed>({
    mutationFn: () => client.call(sessionApi.signOut, {}),
    onSuccess: () => {
      // Otherwise the next click would sign in again without a question.
      if (signedInBy === 'single-sign-on') location.assign(SIGN_OFF_ADDRESS);
      queries.setQueryData(['session'], null);
      // The next user must not see cached answers.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });
    },
  });
  return (
    <div className="who">
      <span
        title={signedInBy === 'token' ? 'Token of this session' : 'Signed in with single sign-on'}
      >
        {name} <span className="tag">{role}</span> <Models />
      </span>
      <button type="button" disabled={signOut.isPending} onClick={() => signOut.mutate()}>
        Sign out
      </button>
      {signOut.error && (
        <span className="fault" role="alert">
          You are still signed in: {signOut.error.message}.
        </span>
      )}
    </div>
  );
}
