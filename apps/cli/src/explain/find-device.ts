import type { BrandClient } from '../session/connect.js';
import { graphql } from '../store/graphql.js';
import { Failure } from '../usage.js';

const DEVICES = graphql`
  query ($brand: ID!, $serial: String!) {
    devices(brand: $brand, filter: { serial: $serial }, first: 2) {
      edges {
        node {
          uid
          model
        }
      }
    }
  }
`;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The uid of the device that is meant by uid or serial. */
export async function findDevice({ store, brandId }: BrandClient, wanted: string): Promise<string> {
  if (UUID.test(wanted)) return wanted;
  const { devices } = await store.query<{
    devices: { edges: { node: { uid: string; model: string } }[] };
  }>(DEVICES, { brand: brandId, serial: wanted });
  const [found, another] = devices.edges.map(({ node }) => node);
  if (found === undefined) throw new Failure(`cannot find a device with the serial ${wanted}`);
  if (another !== undefined)
    throw new Failure(
      `cannot tell which device is meant: ${wanted} is a serial of ${found.model} and of ${another.model}; give the uid`,
    );
  return found.uid;
}
