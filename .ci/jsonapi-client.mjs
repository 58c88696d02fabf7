// Drives billd with a JSON:API client that nobody here wrote: kitsu, from npm.
// It runs from a directory where kitsu is installed (see .ci/run):
//
//   node jsonapi-client.mjs BASE LOGIN PASSWORD
//
// and exits with 0 when everything came back as JSON:API says.
import assert from 'node:assert/strict'
import Kitsu from 'kitsu'

const [base, login, password] = process.argv.slice(2)

const signIn = await fetch(`${base}/api/rest/admin/auth`, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ auth: { username: login, password } })
})
assert.equal(signIn.status, 201, 'sign-in')
const { jwt } = await signIn.json()

// Names stay as they are on the wire: dashed and plural.
const api = new Kitsu({
  baseURL: `${base}/api/rest/admin`,
  headers: { Authorization: `Bearer ${jwt}` },
  camelCaseTypes: false, resourceCase: 'none', pluralize: false
})

async function fails (promise, status, detail) {
  const error = await promise.then(() => assert.fail(`want ${status} ${detail}`), e => e)
  assert.equal(error.response?.status, status, error.stack)
  assert.equal(error.response.data.errors[0].detail, detail)
}

// create
const owners = []
for (const name of ['Northfield', 'Southgate', 'Westport']) {
  const { data } = await api.post('contractors', { name, enabled: true, customer: true, vendor: name === 'Westport' })
  assert.equal(data.type, 'contractors')
  assert.equal(data.name, name)
  owners.push(data)
}
const accounts = []
for (let i = 0; i < 5; i++) {
  const { data } = await api.post('accounts', {
    name: `account ${i}`, 'max-balance': '100.5', vat: 20, contractor: { data: { type: 'contractors', id: owners[i % 2].id } }
  })
  assert.equal(data['max-balance'], '100.5')
  assert.equal(data.contractor.data.id, owners[i % 2].id)
  accounts.push(data)
}
await fails(api.post('contractors', { name: 'Northfield', customer: true }), 422, 'name - has already been taken')

// list, filter, sort, choose fields
const listed = await api.get('accounts', { params: { filter: { 'contractor.id': owners[0].id }, sort: '-name', fields: { accounts: 'name' } } })
assert.deepEqual(listed.data.map(a => a.name), ['account 4', 'account 2', 'account 0'])
assert.equal(listed.meta['total-count'], 3)
assert.equal(listed.data[0].vat, undefined)

// include, on a list and on one record, and follow a relationship
const included = await api.get('accounts', { params: { include: 'contractor', filter: { name_start: 'account' } } })
assert.deepEqual(included.data.map(a => a.contractor.data.name), ['Northfield', 'Southgate', 'Northfield', 'Southgate', 'Northfield'])
const one = await api.get(`accounts/${accounts[1].id}`, { params: { include: 'contractor' } })
assert.equal(one.data.contractor.data.name, 'Southgate')
const owner = await api.get(`accounts/${accounts[1].id}/contractor`)
assert.equal(owner.data.id, owners[1].id)

// page by the links of the documents
const names = []
let url = 'accounts?page%5Bsize%5D=2&filter%5Bname_cont%5D=ACCOUNT&sort=name'
for (let pages = 0; url; pages++) {
  assert.ok(pages < 3, 'three pages hold all')
  const page = await api.get(url)
  names.push(...page.data.map(a => a.name))
  url = page.links.next?.split('/api/rest/admin/')[1]
}
assert.deepEqual(names, [0, 1, 2, 3, 4].map(i => `account ${i}`))

// update attributes and a relationship
const changed = await api.patch('accounts', { id: accounts[0].id, name: 'renamed', contractor: { data: { type: 'contractors', id: owners[1].id } } })
assert.equal(changed.data.name, 'renamed')
assert.equal((await api.get(`accounts/${accounts[0].id}`, { params: { include: 'contractor' } })).data.contractor.data.name, 'Southgate')
assert.equal((await api.patch('contractors', { id: owners[2].id, description: 'a carrier' })).data.description, 'a carrier')

// delete
await fails(api.delete('contractors', owners[1].id), 422, 'Cannot delete record because dependent accounts exist')
for (const { id } of accounts) await api.delete('accounts', id)
for (const { id } of owners) await api.delete('contractors', id)
await fails(api.get(`accounts/${accounts[0].id}`), 404, `The record identified by ${accounts[0].id} could not be found.`)

console.log('a JSON:API client signed in, created, listed, included, paged, updated and deleted accounts and contractors')
