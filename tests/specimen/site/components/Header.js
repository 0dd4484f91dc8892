import axios from 'axios'
import AuthForm from './AuthForm'

export default function Header ({ user }) {
  const logOut = async () => {
    await axios.post('/api/auth/logout')
    window.location = '/'
  }
  if (user) {
    return (
      <header>
        <span id='user'>{user}</span>
        <a href='/bookings'>bookings</a>
        <button id='logout' onClick={logOut}>log out</button>
      </header>
    )
  }
  return (
    <header>
      <span id='guest'>guest</span>
      <AuthForm action='register' />
      <AuthForm action='login' />
    </header>
  )
}
