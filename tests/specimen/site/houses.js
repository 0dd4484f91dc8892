module.exports = [
  { id: 1, title: 'A boat on the canal', price: 80 },
  { id: 2, title: 'The old lighthouse', price: 140 },
  { id: 3, title: 'A room above the bakery', price: 45 }
]
