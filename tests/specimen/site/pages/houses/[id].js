import axios from 'axios'
import { useEffect, useState } from 'react'
import api from '../../api'

export default function House ({ house, user }) {
  const [seen, setSeen] = useState([])
  const [photo, setPhoto] = useState(null)
  useEffect(() => { axios.post(`/api/seen/${house.id}`).then(({ data }) => setSeen(data)) }, [])
  const book = async () => {
    await axios.post('/api/bookings/new', { house: house.id })
    window.location = '/bookings'
  }
  const upload = async event => {
    const form = new FormData()
    form.append('photo', event.target.files[0])
    setPhoto((await axios.post('/api/photos', form)).data)
  }
  return (
    <main>
      <h1>{house.title}</h1>
      <p id='seen'>{seen.join(' ')}</p>
      {user && <button id='book' onClick={book}>book</button>}
      {user && <input id='photo' type='file' onChange={upload} />}
      {photo && <p id='uploaded'>{photo.size} {photo.sha256}</p>}
    </main>
  )
}

House.getInitialProps = async ({ req, query }) => {
  return { house: (await axios(api(req, `/api/houses/${query.id}`))).data }
}
