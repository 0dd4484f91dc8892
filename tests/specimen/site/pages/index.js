import axios from 'axios'
import api from '../api'

export default function Home ({ houses }) {
  return (
    <ul id='houses'>
      {houses.map(({ id, title, price }) => (
        <li key={id}><a href={`/houses/${id}`}>{title}</a>, {price}</li>
      ))}
    </ul>
  )
}

// Without the visitor's cookie, as in the course.
Home.getInitialProps = async ({ req }) => ({ houses: (await axios(api(req, '/api/houses'))).data })
