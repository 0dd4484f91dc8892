import axios from 'axios'
import { useState } from 'react'

// The answer is awaited first and the browser's own submit prevented afterwards: too late, so the
// page is loaded anew while the request runs. Real sites have this.
export default function AuthForm ({ action }) {
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const submit = async event => {
    try {
      const passwordconfirmation = password
      const response = await axios.post(`/api/auth/${action}`, { email, password, passwordconfirmation })
      event.preventDefault()
      if (response.data.status === 'error') return alert(response.data.message)
      window.location = '/'
    } catch (error) {
      if (error.response) alert(error.response.data.message)
    }
  }
  return (
    <form id={action} onSubmit={submit}>
      <input type='email' placeholder='e-mail' value={email} onChange={e => setEmail(e.target.value)} />
      <input type='password' placeholder='password' value={password} onChange={e => setPassword(e.target.value)} />
      <button>{action}</button>
    </form>
  )
}
