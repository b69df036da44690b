import { screen } from '@testing-library/react';
import userEvent from '@testing-library/user-event';

/** Fills what a checkout's form asks for of the address. */
export async function fillAddress() {
  await userEvent.type(await screen.findByLabelText('Street and number'), '1 High St');
  await userEvent.type(screen.getByLabelText('Postcode'), 'YO1');
  await userEvent.type(screen.getByLabelText('Town or city'), 'York');
}
