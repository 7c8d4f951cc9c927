import { Controller, Get, Header } from '@nestjs/common';

/** The secret stands behind the `#` of the address, which browsers send to nobody. */
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Choose your password</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; }
  input, button { font: inherit; padding: 0.5rem; width: 100%; box-sizing: border-box; margin: 0.5rem 0; }
</style>
<h1>Choose your password</h1>
<form>
  <label>New password, 10 characters or more
    <input type="password" minlength="10" maxlength="1000" autocomplete="new-password" required autofocus></label>
  <button>Save</button>
</form>
<p role="status"></p>
<script src="/invitation.js"></script>
</html>
`;

const SCRIPT = `'use strict';
const form = document.querySelector('form');
const status = document.querySelector('p');
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const query = \`mutation ($invitation: String!, $password: String!) {
    acceptInvitation(invitation: $invitation, password: $password) {
      __typename ... on Invalid { message } ... on Forbidden { message }
    }
  }\`;
  const variables = { invitation: location.hash.slice(1), password: form.querySelector('input').value };
  try {
    const answer = await fetch('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = await answer.json();
    const result = data?.acceptInvitation;
    if (result?.__typename !== 'Session') throw new Error(result?.message ?? errors?.[0]?.message);
    form.remove();
    history.replaceState(null, '', location.pathname);
    status.textContent = 'Saved. Log in with: brandstore login --url ' + location.origin;
  } catch (error) {
    status.textContent = error.message;
  }
});
`;

/** Where the link of an invitation leads: the one thing that people do before they have a login. */
@Controller()
export class InvitationController {
  @Get('invitation')
  @Header('content-type', 'text/html; charset=utf-8')
  @Header(
    'content-security-policy',
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; connect-src 'self'",
  )
  @Header('referrer-policy', 'no-referrer')
  page(): string {
    return PAGE;
  }

  @Get('invitation.js')
  @Header('content-type', 'text/javascript; charset=utf-8')
  script(): string {
    return SCRIPT;
  }
}
