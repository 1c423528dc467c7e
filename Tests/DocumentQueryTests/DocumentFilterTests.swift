import DocumentQuery
import BSONBytes
import ExtendedJSON
import Testing
