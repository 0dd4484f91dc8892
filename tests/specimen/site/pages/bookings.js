import axios from 'axios'
import api from '../api'

export default function Bookings ({ bookings }) {
  return (
    <ul id='bookings'>
      {bookings.map(({ id, house, paid }) => (
        <li key={id} data-id={id}>house {house}{paid ? ', paid' : ''}</li>
      ))}
    </ul>
  )
}

// With the visitor's cookie, so that the API knows them.
Bookings.getInitialProps = async ({ req }) => {
  const headers = req && req.headers.cookie ? { cookie: req.headers.cookie } : {}
  return { bookings: (await axios(api(req, '/api/bookings/list'), { headers })).data }
}
