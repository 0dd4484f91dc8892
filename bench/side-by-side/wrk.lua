-- wrk … -- PATH COOKIES: a browser's ten fields, and the cookies of the file in turn. Prints one JSON object.
local requests, at = {}, 0

function init(arguments)
  for cookies in io.lines(arguments[2]) do
    requests[#requests + 1] = table.concat({
      "GET " .. arguments[1] .. " HTTP/1.1",
      "Host: localhost:3000",
      "Connection: keep-alive",
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
      "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
      "Accept-Language: en-US,en;q=0.5",
      "Accept-Encoding: gzip, deflate, br, zstd",
      "Upgrade-Insecure-Requests: 1",
      "Sec-Fetch-Dest: document",
      "Sec-Fetch-Mode: navigate",
      "Sec-Fetch-Site: same-origin",
      "Cookie: " .. cookies,
      "\r\n",
    }, "\r\n")
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary)
  local errors = summary.errors
  local failed = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  print(string.format('{"answered":%d,"micros":%d,"failed":%d}', summary.requests, summary.duration, failed))
end
