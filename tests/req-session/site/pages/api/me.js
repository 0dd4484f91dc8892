export default function me (req, res) {
  res.json({ id: req.sessionID || null, session: req.session || null })
}
